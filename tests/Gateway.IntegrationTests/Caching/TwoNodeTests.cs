using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Tests of the cache as two nodes share it: each test has an origin, a Redis and two gateways of its own.</summary>
/// <param name="policy">The policy <c>origin</c> of both nodes; null: its defaults.</param>
public abstract class TwoNodeTests(object? policy = null) : IAsyncLifetime
{
    private protected RedisServer Redis { get; private set; } = null!;

    private protected TestOrigin Origin { get; private set; } = null!;

    private protected GatewayNode A { get; private set; } = null!;

    private protected GatewayNode B { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Origin = await TestOrigin.StartAsync();
        A = await CacheTestNode.StartAsync(Origin, Redis, policy);
        B = await CacheTestNode.StartAsync(Origin, Redis, policy);
    }

    public virtual async Task DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Origin.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
