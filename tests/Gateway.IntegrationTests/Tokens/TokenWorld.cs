using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>An issuer, an origin with a page that nobody stores, and a Redis.</summary>
public abstract class TokenWorld : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    internal TestOrigin Origin { get; private set; } = null!;

    internal TestIssuer Issuer { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Origin = await TestOrigin.StartAsync();
        Origin.Map("/page", "page", ("Cache-Control", "no-store"));
        Issuer = await TestIssuer.StartAsync();
    }

    public virtual async Task DisposeAsync()
    {
        await Issuer.DisposeAsync();
        await Origin.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
