using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Builder;

namespace Gateway.IntegrationTests.RateLimiting;

/// <summary>Nodes before one origin whose only route has the policy <c>api</c>, and a Redis of their own.</summary>
public abstract class LimitedNodes : IAsyncLifetime
{
    private readonly List<GatewayNode> _nodes = [];

    internal RedisServer Redis { get; private set; } = null!;

    internal TestOrigin Origin { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Origin = (await TestOrigin.StartAsync()).Map("/x", "body");
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await Origin.DisposeAsync();
        await Redis.DisposeAsync();
    }

    internal Task<GatewayNode> StartAsync(params object[] limits) => StartWithAsync(Config(limits));

    internal async Task<GatewayNode> StartWithAsync(object config, string? redis = null, Action<WebApplicationBuilder>? configure = null)
    {
        var node = await GatewayNode.StartAsync(config, redis ?? Redis.ConnectionString, configure: configure);
        _nodes.Add(node);
        return node;
    }

    // The deadline is generous, because a busy test machine is no Redis that is away.
    internal Dictionary<string, object> Config(params object[] limits) => ConfigOf(new { Limits = limits });

    internal Dictionary<string, object> ConfigOf(object policy, string deadline = "00:00:02") => new()
    {
        ["ReverseProxy"] = Origin.ProxySection(("RateLimiterPolicy", "api")),
        ["RateLimiter"] = new { Policies = new { api = policy } },
        ["Redis"] = new { Deadline = deadline },
    };

    internal static async Task<int> StatusAsync(GatewayNode node, params (string Name, string Value)[] fields)
    {
        using var response = await node.SendAsync("/x", fields);
        return (int)response.StatusCode;
    }

    /// <summary>The permits in use of each limit, as the admin listener tells.</summary>
    /// <param name="identity">Who the client is; null where limits count all clients together.</param>
    internal static async Task<long[]> UsedAsync(GatewayNode node, object? identity = null)
    {
        using var response = await node.Admin.PostAsJsonAsync("/rate-limits/counters", new { policy = "api", identity });
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        return [.. body.GetProperty("counters").EnumerateArray().Select(counter => counter.GetProperty("used").GetInt64())];
    }

    internal async Task<string[]> CounterKeysAsync(RedisServer? redis = null)
    {
        await using var connection = await (redis ?? Redis).ConnectAsync();
        return [.. connection.GetServers()[0].Keys(pattern: "gateway:limit:*").Select(key => key.ToString())];
    }

    internal async Task AssertKeysEndAsync(RedisServer? redis = null)
    {
        await using var connection = await (redis ?? Redis).ConnectAsync();
        var database = connection.GetDatabase();
        foreach (var key in await CounterKeysAsync(redis))
            Assert.True(await database.KeyTimeToLiveAsync(key) is not null || !await database.KeyExistsAsync(key), $"{key} has no end");
    }

    /// <summary>Sends requests to the nodes in turn and counts those that were admitted; all others must be answered 429.</summary>
    internal static async Task<int> CountAdmittedAsync(IReadOnlyList<GatewayNode> nodes, int requests, int connections, params (string Name, string Value)[] fields)
    {
        var next = -1;
        var admitted = 0;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async connection =>
        {
            while (Interlocked.Increment(ref next) < requests)
            {
                var status = await StatusAsync(nodes[connection % nodes.Count], fields);
                Assert.True(status is (int)HttpStatusCode.OK or (int)HttpStatusCode.TooManyRequests, $"status {status}");
                if (status == (int)HttpStatusCode.OK)
                    Interlocked.Increment(ref admitted);
            }
        }));
        return admitted;
    }
}
