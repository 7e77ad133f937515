using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Builder;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>Two gateways whose routes demand API keys of the scheme <c>partners</c>.</summary>
public sealed class ApiKeyWorld : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    internal TestOrigin Origin { get; private set; } = null!;

    internal GatewayNode A { get; private set; } = null!;

    internal GatewayNode B { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Origin = await TestOrigin.StartAsync();
        Origin.Map("/page", "page", ("Cache-Control", "no-store"));
        A = await StartNodeAsync();
        B = await StartNodeAsync();
    }

    internal Task<GatewayNode> StartNodeAsync(
        Action<Dictionary<string, object>>? scheme = null, string? field = null, Action<WebApplicationBuilder>? configure = null, bool isEmbedded = false)
    {
        var keys = new Dictionary<string, object> { ["Enabled"] = true };
        if (field is not null)
            keys["Field"] = field;
        var partners = new Dictionary<string, object>
        {
            ["ApiKeys"] = keys,
            ["Forward"] = new[] { new { Claim = "sub", Field = "X-Auth-Subject" }, new { Claim = "scope", Field = "X-Auth-Scope" }, new { Claim = "plan", Field = "X-Auth-Plan" } },
        };
        scheme?.Invoke(partners);
        var config = new
        {
            ReverseProxy = Origin.ProxySection(("AuthorizationPolicy", "partners"), ("OutputCachePolicy", "by-plan"), ("RateLimiterPolicy", "by-plan")),
            Tokens = new { Schemes = new { partners } },
            OutputCache = new { Policies = new Dictionary<string, object> { ["by-plan"] = new { Authorization = "Share", VaryByClaim = new[] { "plan" } } } },
            RateLimiter = new
            {
                Policies = new Dictionary<string, object>
                {
                    ["by-plan"] = new
                    {
                        Limits = new[]
                        {
                            new { Name = "hour", PermitLimit = 1_000, Window = "01:00:00", By = new[] { "Claim:sub" }, TierBy = "Claim:plan", Tiers = new Dictionary<string, int> { ["tiny"] = 2 } },
                        },
                    },
                },
            },
        };
        return GatewayNode.StartAsync(config, isEmbedded ? null : Redis.ConnectionString, configure: configure);
    }

    public async Task DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Origin.DisposeAsync();
        await Redis.DisposeAsync();
    }
}

internal static class ApiKeyNode
{
    public static async Task<(string Key, string Id)> IssueAsync(this GatewayNode node, object? request = null)
    {
        using var response = await node.Admin.PostAsJsonAsync("/api-keys", request ?? new { owner = "alice" });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return await ReadAsync(response);
    }

    public static async Task<string> RotateAsync(this GatewayNode node, string id, long overlapSeconds)
    {
        using var response = await node.Admin.PostAsJsonAsync($"/api-keys/{id}/rotate", new { overlapSeconds });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await ReadAsync(response)).Key;
    }

    public static Task<HttpResponseMessage> WithKeyAsync(this GatewayNode node, string key, string path = "/page", string field = "X-Api-Key") =>
        node.GetAsync(path, token: null, (field, key));

    public static async Task<int> KeyStatusAsync(this GatewayNode node, string key, string path = "/page")
    {
        using var response = await node.WithKeyAsync(key, path);
        return (int)response.StatusCode;
    }

    private static async Task<(string Key, string Id)> ReadAsync(HttpResponseMessage response)
    {
        Assert.True(response.Headers.CacheControl?.NoStore);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        return (body.GetProperty("key").GetString()!, body.GetProperty("apiKey").GetProperty("id").GetString()!);
    }
}
