using System.Net;
using Gateway.Hosting.Configuration;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

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
            configuration => configuration.GetSection("Test:Policies").GetChildren().Select(child => child.Key),
            (services, name) => services.GetRequiredService<IOptions<OutputCacheOptions>>().Value.AddPolicy(name, policy => policy.NoCache()))));

        var refused = await node.ReloadAsync(new { ReverseProxy = origin.ProxySection(("OutputCachePolicy", "catalogue")) });
        var accepted = await node.ReloadAsync(new
        {
            Test = new { Policies = new { catalogue = new { Any = 1 } } },
            ReverseProxy = origin.ProxySection(("OutputCachePolicy", "catalogue")),
        });

        Assert.Contains("'catalogue' not found", Assert.Single(refused.LastErrors), StringComparison.Ordinal);
        Assert.Empty(accepted.LastErrors);
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayNode node, string path)
    {
        using var response = await node.Public.GetAsync(path);
        return response.StatusCode;
    }
}
