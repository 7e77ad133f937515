using System.Net;
using System.Text.RegularExpressions;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.IntegrationTests.SampleBackend;

/// <summary>The demo's configuration and the request files cannot rot: they are checked against each other.</summary>
public sealed partial class DemoTests
{
    private static readonly IConfigurationRoot Demo = new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(RepositoryRoot.Path, "src", "SampleBackend", "storefront.gateway.json"))
        .Build();

    [Fact]
    public void Every_route_of_the_demo_leads_to_a_cluster_and_names_policies_that_exist()
    {
        var proxy = ReadProxy();
        var limits = Demo.GetSection("RateLimiter:Policies").GetChildren().Select(policy => policy.Key).ToHashSet();
        var schemes = Demo.GetSection("Tokens:Schemes").GetChildren().Select(scheme => scheme.Key).ToHashSet();

        Assert.NotEmpty(proxy.Routes);
        foreach (var route in proxy.Routes)
        {
            Assert.Contains(proxy.Clusters, cluster => cluster.ClusterId == route.ClusterId);
            Assert.True(route.RateLimiterPolicy is null || limits.Contains(route.RateLimiterPolicy), $"{route.RouteId}: {route.RateLimiterPolicy}");
            Assert.True(route.AuthorizationPolicy is null || schemes.Contains(route.AuthorizationPolicy), $"{route.RouteId}: {route.AuthorizationPolicy}");
            Assert.True(route.OutputCachePolicy is null or "origin", $"{route.RouteId}: {route.OutputCachePolicy}");
        }
    }

    [Fact]
    public void Personal_routes_have_no_cache_and_the_cart_keeps_its_backend()
    {
        var proxy = ReadProxy();
        foreach (var id in new[] { "cart", "account", "introspected", "partners", "identity", "origin" })
            Assert.Null(proxy.Routes.Single(route => route.RouteId == id).OutputCachePolicy);

        var affinity = proxy.Clusters.Single(cluster => cluster.ClusterId == "cart").SessionAffinity;
        Assert.True(affinity!.Enabled);
        Assert.Equal("Redis", affinity.Policy);
        Assert.All(proxy.Clusters.Where(cluster => cluster.ClusterId != "cart"), cluster => Assert.Null(cluster.SessionAffinity));
    }

    [Fact]
    public void Every_request_file_asks_for_something_that_the_demo_serves()
    {
        var routes = ReadProxy().Routes.Select(route => new TemplateMatcher(TemplateParser.Parse(route.Match.Path!), new RouteValueDictionary())).ToList();
        routes.Add(new TemplateMatcher(TemplateParser.Parse(Demo["ShortLinks:Prefix"] + "/{slug}"), new RouteValueDictionary()));
        var files = Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "requests"), "*.http");

        Assert.NotEmpty(files);
        Assert.All(CurlPath().Matches(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "requests", "first-steps.txt"))),
            match => Assert.Contains(routes, route => route.TryMatch(new PathString(match.Groups["path"].Value), [])));
        foreach (var file in files)
        {
            var paths = GatewayPath().Matches(File.ReadAllText(file)).Select(match => match.Groups["path"].Value).ToList();
            Assert.NotEmpty(paths);
            Assert.All(paths, path => Assert.Contains(routes, route => route.TryMatch(new PathString(path), [])));
        }
    }

    [Fact]
    public async Task The_storefront_runs_in_a_web_application_factory()
    {
        await using var factory = new WebApplicationFactory<global::SampleBackend.Program>();
        using var client = factory.CreateClient();

        using var response = await client.GetAsync("/healthz");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("backend", response.Field("X-Backend"));
    }

    private static IProxyConfig ReadProxy()
    {
        using var services = new ServiceCollection().AddLogging()
            .AddReverseProxy().LoadFromConfig(Demo.GetSection("ReverseProxy")).Services.BuildServiceProvider();
        return services.GetRequiredService<IProxyConfigProvider>().GetConfig();
    }

    [GeneratedRegex(@"^(GET|POST|PUT|DELETE) \{\{gateway\}\}(?<path>/[^\s?]*)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex GatewayPath();

    [GeneratedRegex(@"curl [^\n]*http://localhost:8080(?<path>/[^\s;]*)", RegexOptions.ExplicitCapture)]
    private static partial Regex CurlPath();
}
