using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>A provider, an origin, a Redis, and as many gateways between them as a test starts.</summary>
public sealed class IntrospectionWorld : IAsyncLifetime
{
    private readonly List<GatewayNode> _nodes = [];

    internal RedisServer Redis { get; private set; } = null!;

    internal TestOrigin Origin { get; private set; } = null!;

    internal TestProvider Provider { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Origin = await TestOrigin.StartAsync();
        Origin.Map("/page", context =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, context.Request.Headers["X-Auth-Subject"].ToString());
        });
        Provider = await TestProvider.StartAsync();
    }

    internal object Config(Action<Dictionary<string, object>>? scheme = null, Action<Dictionary<string, object>>? introspection = null)
    {
        var asked = new Dictionary<string, object>
        {
            ["Endpoint"] = Provider.Endpoint,
            ["ClientId"] = TestProvider.ClientId,
            ["ClientSecret"] = TestProvider.ClientSecret,
            ["TokenTypeHint"] = "access_token",
        };
        introspection?.Invoke(asked);
        var shop = new Dictionary<string, object>
        {
            ["Issuer"] = TestProvider.Issuer,
            ["Audience"] = TestIssuer.Audience,
            ["Introspection"] = asked,
            ["Forward"] = new[] { new { Claim = "sub", Field = "X-Auth-Subject" } },
        };
        scheme?.Invoke(shop);
        return new
        {
            ReverseProxy = Origin.ProxySection(("AuthorizationPolicy", "shop"), ("OutputCachePolicy", "origin")),
            Tokens = new { Schemes = new { shop } },
        };
    }

    internal async Task<GatewayNode> StartNodeAsync(
        Action<Dictionary<string, object>>? scheme = null, Action<Dictionary<string, object>>? introspection = null, string? redis = null)
    {
        var node = await GatewayNode.StartAsync(Config(scheme, introspection), redis ?? Redis.ConnectionString);
        _nodes.Add(node);
        return node;
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await Provider.DisposeAsync();
        await Origin.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
