using System.Net;
using System.Text.Json;
using Gateway.Hosting.Configuration;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.IntegrationTests.Hosting;

public sealed class ReloadTests
{
    [Fact]
    public async Task A_changed_file_adds_a_route_while_the_gateway_serves()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/hello", "hello");
        await using var node = await GatewayNode.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(node, "/hello"));

        var status = await node.ReloadAsync(new { ReverseProxy = origin.ProxySection(("OutputCachePolicy", "origin")) });

        Assert.Equal(2, status.Version);
        Assert.Empty(status.LastErrors);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, "/hello"));
    }

    [Theory]
    [InlineData("this is not JSON")]
    [InlineData("")]
    [InlineData("""{ "Hosting": { "ShutdownTimeoutSeconds": -1, "Typo": 1 } }""")]
    [InlineData("""{ "ReverseProxy": { "Routes": { "all": { "ClusterId": "gone", "Match": { "Path": "/x" } } } } }""")]
    [InlineData("""{ "ReverseProxy": { "Clusters": { "c": { "HttpClient": { "MaxConnectionsPerServer": "many" } } } } }""")]
    public async Task A_file_with_errors_changes_nothing_and_says_why(string content)
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/hello", "hello");
        await using var node = await GatewayNode.StartAsync(new { Hosting = new { ShutdownTimeoutSeconds = 7 }, ReverseProxy = origin.ProxySection() });

        var status = await node.ReloadAsync(content);

        Assert.Equal(1, status.Version);
        Assert.NotNull(status.LastRejectedAt);
        Assert.All(status.LastErrors, error => Assert.StartsWith("gateway.json: ", error, StringComparison.Ordinal));
        Assert.NotEmpty(status.LastErrors);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, "/hello"));
        Assert.Contains(status.LastErrors[0].Split('.')[0], await node.Admin.GetStringAsync("/config"), StringComparison.Ordinal);
        Assert.Single(node.Log.Events, logged => logged is { Level: LogLevel.Error, Id.Id: 1001 });
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task All_errors_of_a_refused_change_are_listed_together()
    {
        await using var node = await GatewayNode.StartAsync();

        var status = await node.ReloadAsync("""{ "Hosting": { "ShutdownTimeoutSeconds": -1, "Typo": 1 }, "Telemetry": { "OtlpEndpoint": "ftp://x" }, "ReverseProxy": { "Routes": { "r": {} } } }""");

        Assert.Contains(status.LastErrors, error => error.Contains("Hosting:ShutdownTimeoutSeconds", StringComparison.Ordinal));
        Assert.Contains(status.LastErrors, error => error.Contains("Hosting:Typo", StringComparison.Ordinal));
        Assert.Contains(status.LastErrors, error => error.Contains("Telemetry:OtlpEndpoint", StringComparison.Ordinal));
        Assert.Contains(status.LastErrors, error => error.Contains("ReverseProxy:Routes:r", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_corrected_file_is_accepted_after_a_refused_one()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/hello", "hello");
        await using var node = await GatewayNode.StartAsync();
        await node.ReloadAsync("{");

        var status = await node.ReloadAsync(new { ReverseProxy = origin.ProxySection() });

        Assert.Equal((2, 0), (status.Version, status.LastErrors.Count));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, "/hello"));
    }

    [Fact]
    public async Task Options_and_routes_come_from_the_same_snapshot()
    {
        await using var node = await GatewayNode.StartAsync();
        var options = node.Services.GetRequiredService<IOptionsMonitor<Gateway.Hosting.HostingOptions>>();

        await node.ReloadAsync(new { Hosting = new { PublicHealth = false } });
        Assert.False(options.CurrentValue.PublicHealth);

        await node.ReloadAsync(new { Hosting = new { PublicHealth = true }, ReverseProxy = new { Routes = new { bad = new { } } } });
        Assert.False(options.CurrentValue.PublicHealth);
    }

    [Fact]
    public async Task A_name_that_a_change_adds_is_known_before_YARP_checks_its_routes()
    {
        await using var origin = await TestOrigin.StartAsync();
        await using var node = await GatewayNode.StartAsync(configure: builder => builder.Services.AddSingleton(new PolicyNameRegistration(
            configuration => configuration.GetSection("ConnectionStrings").GetChildren().Select(child => child.Key),
            (services, name) => services.GetRequiredService<IOptions<OutputCacheOptions>>().Value.AddPolicy(name, policy => policy.NoCache()),
            "OutputCachePolicy")));

        var refused = await node.ReloadAsync(new { ReverseProxy = origin.ProxySection(("OutputCachePolicy", "catalogue")) });
        var accepted = await node.ReloadAsync(new
        {
            ConnectionStrings = new { catalogue = "any" },
            ReverseProxy = origin.ProxySection(("OutputCachePolicy", "catalogue")),
        });

        Assert.Contains("'catalogue' not found", Assert.Single(refused.LastErrors), StringComparison.Ordinal);
        Assert.Empty(accepted.LastErrors);
    }

    [Theory]
    [InlineData("OutputCachePolicy", """ "OutputCache": { "Policies": { "mine": { "Ttl": "00:01:00" } } } """)]
    [InlineData("RateLimiterPolicy", """ "RateLimiter": { "Policies": { "mine": { "Limits": [ { "Name": "n", "PermitLimit": 1000, "Window": "00:01:00" } ] } } } """)]
    [InlineData("AuthorizationPolicy", """ "Tokens": { "Schemes": { "mine": { "ApiKeys": { "Enabled": true } } } } """)]
    public async Task A_change_that_removes_a_policy_which_a_route_still_names_is_refused(string key, string definition)
    {
        await using var origin = await TestOrigin.StartAsync();
        var proxy = $"\"ReverseProxy\": {JsonSerializer.Serialize(origin.ProxySection((key, "mine")))}";
        await using var node = await GatewayNode.StartAsync($"{{ {definition}, {proxy} }}");

        var refused = await node.ReloadAsync($"{{ {proxy} }}");

        Assert.Equal(1, refused.Version);
        Assert.StartsWith($"gateway.json: ReverseProxy:Routes:all:{key}: 'mine' ", Assert.Single(refused.LastErrors), StringComparison.Ordinal);

        // Both together, and the name again: what an earlier configuration left behind decides nothing.
        Assert.Equal(2, (await node.ReloadAsync("{}")).Version);
        Assert.Equal(2, (await node.ReloadAsync($"{{ {proxy}  }}")).Version);
        Assert.Equal(3, (await node.ReloadAsync($"{{ {definition}, {proxy} }}")).Version);
    }

    [Theory]
    [InlineData("""{ "LogLevel": { "Default": "Loud" } }""", "Logging:LogLevel:Default: 'Loud' is not one of Trace, Debug")]
    [InlineData("""{ "LogLevel": { "Default": "Debug,Information" } }""", "Logging:LogLevel:Default: 'Debug,Information' is not one of Trace, Debug")]
    [InlineData("""{ "LogLevel": "Debug" }""", "Logging:LogLevel: a value stands where an object belongs")]
    [InlineData("""{ "Console": { "LogLevel": { "Yarp": "Loud" } } }""", "Logging:Console:LogLevel:Yarp: 'Loud' is not one of Trace, Debug")]
    [InlineData("""{ "Console": { "FormatterOptions": { "SingleLine": "perhaps" } } }""", "Logging:Console:FormatterOptions:SingleLine: 'perhaps' is not true or false")]
    public async Task A_change_with_an_error_in_Logging_is_refused_whole(string logging, string expected)
    {
        await using var node = await GatewayNode.StartAsync(new { Hosting = new { ShutdownTimeoutSeconds = 7 } });

        var status = await node.ReloadAsync($$"""{ "Logging": {{logging}}, "Hosting": { "ShutdownTimeoutSeconds": 8 } }""");

        Assert.Equal(1, status.Version);
        Assert.StartsWith($"gateway.json: {expected}", Assert.Single(status.LastErrors), StringComparison.Ordinal);
        Assert.Equal(7, node.Services.GetRequiredService<IOptionsMonitor<Gateway.Hosting.HostingOptions>>().CurrentValue.ShutdownTimeoutSeconds);
    }

    [Fact]
    public async Task A_change_that_something_throws_at_is_taken_back_whole()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/hello", "hello");
        await using var node = await GatewayNode.StartAsync(new { Hosting = new { ShutdownTimeoutSeconds = 7 }, ReverseProxy = origin.ProxySection() });
        var options = node.Services.GetRequiredService<IOptionsMonitor<Gateway.Hosting.HostingOptions>>();
        var told = 0;
        using var before = options.OnChange(changed => told = changed.ShutdownTimeoutSeconds);
        using var broken = options.OnChange(changed =>
        {
            if (changed.ShutdownTimeoutSeconds == 8)
                throw new InvalidOperationException("eight is too much");
        });

        var refused = await node.ReloadAsync(new { Hosting = new { ShutdownTimeoutSeconds = 8 }, ShortLinks = new { Enabled = true } });

        Assert.Equal(1, refused.Version);
        Assert.Contains("eight is too much", Assert.Single(refused.LastErrors), StringComparison.Ordinal);
        Assert.Equal((7, 7), (options.CurrentValue.ShutdownTimeoutSeconds, told));
        Assert.False(node.Services.GetRequiredService<IOptionsMonitor<Gateway.ShortLinks.ShortLinksOptions>>().CurrentValue.Enabled);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, "/hello"));

        var accepted = await node.ReloadAsync(new { Hosting = new { ShutdownTimeoutSeconds = 9 } });

        Assert.Equal((2, 9), (accepted.Version, options.CurrentValue.ShutdownTimeoutSeconds));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(node, "/hello"));
    }

    [Fact]
    public async Task A_change_whose_routes_YARP_cannot_make_is_taken_back_whole()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/hello", "hello");
        await using var node = await GatewayNode.StartAsync(
            new { Hosting = new { ShutdownTimeoutSeconds = 7 }, ReverseProxy = origin.ProxySection() },
            configure: builder => builder.Services.AddSingleton<IProxyConfigFilter, ThrowingFilter>());
        var options = node.Services.GetRequiredService<IOptionsMonitor<Gateway.Hosting.HostingOptions>>();

        var refused = await node.ReloadAsync(new { Hosting = new { ShutdownTimeoutSeconds = 8 }, ReverseProxy = origin.ProxySection(("Order", 13)) });

        Assert.Equal((1, 7), (refused.Version, options.CurrentValue.ShutdownTimeoutSeconds));
        Assert.StartsWith("the change could not be put in force, and was taken back: ", Assert.Single(refused.LastErrors), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, "/hello"));

        var accepted = await node.ReloadAsync(new { Hosting = new { ShutdownTimeoutSeconds = 9 }, ReverseProxy = origin.ProxySection(("Order", 12)) });

        Assert.Equal((2, 9), (accepted.Version, options.CurrentValue.ShutdownTimeoutSeconds));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, "/hello"));
    }

    [Fact]
    public async Task The_built_in_policy_outlives_options_of_its_own()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/hello", "hello");
        var proxy = origin.ProxySection(("OutputCachePolicy", "origin"));
        await using var node = await GatewayNode.StartAsync(new { OutputCache = new { Policies = new { origin = new { Ttl = "00:01:00" } } }, ReverseProxy = proxy });

        var status = await node.ReloadAsync(new { ReverseProxy = proxy });

        Assert.Equal((2, 0), (status.Version, status.LastErrors.Count));
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayNode node, string path)
    {
        using var response = await node.Public.GetAsync(path);
        return response.StatusCode;
    }

    private sealed class ThrowingFilter : IProxyConfigFilter
    {
        public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => new(cluster);

        public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel) =>
            route.Order == 13 ? throw new InvalidOperationException("thirteen is too much") : new(route);
    }
}
