using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>An issuer, an origin, a Redis, and two gateways between them.</summary>
public sealed class TokenFixture : IAsyncLifetime
{
    internal RedisServer Redis { get; private set; } = null!;

    internal TestOrigin Origin { get; private set; } = null!;

    internal TestIssuer Issuer { get; private set; } = null!;

    internal GatewayNode A { get; private set; } = null!;

    internal GatewayNode B { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Redis = await RedisServer.StartAsync();
        Origin = await TestOrigin.StartAsync();
        Origin.Map("/page", "page", ("Cache-Control", "no-store"));
        Issuer = await TestIssuer.StartAsync();
        A = await TokenNode.StartAsync(Origin, Issuer, Redis);
        B = await TokenNode.StartAsync(Origin, Issuer, Redis);
    }

    public async Task DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await Issuer.DisposeAsync();
        await Origin.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
