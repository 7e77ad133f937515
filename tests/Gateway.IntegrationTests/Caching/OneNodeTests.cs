using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Tests of the cache in one node: each test has an origin, a Redis and a gateway of its own.</summary>
/// <param name="policy">The policy <c>origin</c>; null: its defaults.</param>
public abstract class OneNodeTests(object? policy = null) : IAsyncLifetime
{
    private protected RedisServer Redis { get; private set; } = null!;

    private protected TestOrigin Origin { get; private set; } = null!;

    /// <summary>The gateway. A test may put another in its place, when it has disposed of this one.</summary>
    private protected GatewayNode Node { get; set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Origin = await TestOrigin.StartAsync();
        Node = await CacheTestNode.StartAsync(Origin, Redis, policy);
    }

    public virtual async Task DisposeAsync()
    {
        await Node.DisposeAsync();
        await Origin.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
