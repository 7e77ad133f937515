using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>The storefront's own identity service and account page behind two gateways, as the demo has them.</summary>
public sealed class StorefrontIdentityTests
{
    [Fact]
    public async Task A_customer_signs_in_sees_the_account_page_and_is_signed_out_everywhere()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var storefront = await Storefront.StartAsync();
        var config = Config(storefront);
        await using var a = await GatewayNode.StartAsync(config, redis.ConnectionString);
        await using var b = await GatewayNode.StartAsync(config, redis.ConnectionString);
        var token = await SignInAsync(a);

        foreach (var node in new[] { a, b })
        {
            using var page = await node.GetAsync("/account", token, ("X-Auth-Plan", "platinum"), ("X-Auth-Admin", "yes"));
            var identity = (await page.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("identity");
            Assert.Equal(
                ["X-Auth-Plan: gold", "X-Auth-Scope: catalog orders", "X-Auth-Subject: alice"],
                identity.EnumerateObject().Select(field => $"{field.Name}: {field.Value}").Order());
        }

        Assert.Equal(401, await a.StatusAsync(token: null, "/account"));
        (await a.RevokeAsync(new { token })).Dispose();
        await Eventually.TrueAsync(async () => await b.StatusAsync(token, "/account") == 401, "the other gateway refuses the token", TimeSpan.FromSeconds(1));
        Assert.Equal(200, await b.StatusAsync(await SignInAsync(b), "/account"));
    }

    [Fact]
    public async Task The_demo_asks_the_provider_once_and_knows_partners_by_their_keys()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var storefront = await Storefront.StartAsync();
        var config = Config(storefront);
        await using var a = await GatewayNode.StartAsync(config, redis.ConnectionString);
        await using var b = await GatewayNode.StartAsync(config, redis.ConnectionString);
        var token = await SignInAsync(a);

        foreach (var node in new[] { a, b, a, b })
            Assert.Equal(200, await node.StatusAsync(token, "/introspected"));
        Assert.Equal(1, (await storefront.Client.GetFromJsonAsync<JsonElement>("/identity/introspect/count")).GetProperty("count").GetInt64());

        (await storefront.Client.PostAsync("/identity/outage?seconds=60", null)).Dispose();
        Assert.Equal(200, await b.StatusAsync(token, "/introspected"));
        Assert.Equal(503, await b.StatusAsync("unknown", "/introspected"));

        var (key, _) = await a.IssueAsync(new { owner = "acme", plan = "gold", scopes = new[] { "catalog" } });
        using var page = await b.WithKeyAsync(key, "/partners");
        var identity = (await page.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("identity");
        Assert.Equal(
            ["X-Auth-Plan: gold", "X-Auth-Scope: catalog", "X-Auth-Subject: acme"],
            identity.EnumerateObject().Select(field => $"{field.Name}: {field.Value}").Order());
        Assert.Contains("per-minute\";q=1000", page.Headers.GetValues("RateLimit-Policy").Single(), StringComparison.Ordinal);
    }

    private static string Config(Storefront storefront)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Gateway.sln"))) directory = directory.Parent!;
        var demo = File.ReadAllText(Path.Combine(directory.FullName, "src", "SampleBackend", "storefront.gateway.json"));
        using var document = JsonDocument.Parse(demo);
        var at = storefront.Address.ToString().TrimEnd('/');
        var clusters = new { storefront = new { Destinations = new { one = new { Address = at } } } };
        var routes = document.RootElement.GetProperty("ReverseProxy").GetProperty("Routes");
        return JsonSerializer.Serialize(new
        {
            ReverseProxy = new
            {
                Routes = new
                {
                    account = routes.GetProperty("account"),
                    introspected = routes.GetProperty("introspected"),
                    partners = routes.GetProperty("partners"),
                    identity = new { ClusterId = "storefront", Match = routes.GetProperty("identity").GetProperty("Match") },
                },
                Clusters = clusters,
            },
            Tokens = document.RootElement.GetProperty("Tokens"),
            RateLimiter = document.RootElement.GetProperty("RateLimiter"),
        }).Replace("http://localhost:5101", at, StringComparison.Ordinal);
    }

    private static async Task<string> SignInAsync(GatewayNode node)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "password", ["username"] = "alice", ["password"] = "wonderland" });
        using var response = await node.Public.PostAsync("/identity/token", form);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;
    }
}
