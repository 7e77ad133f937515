using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>The same with two gateways between them.</summary>
public sealed class TokenFixture : TokenWorld
{
    internal GatewayNode A { get; private set; } = null!;

    internal GatewayNode B { get; private set; } = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        A = await TokenNode.StartAsync(Origin, Issuer, Redis);
        B = await TokenNode.StartAsync(Origin, Issuer, Redis);
    }

    public override async Task DisposeAsync()
    {
        await A.DisposeAsync();
        await B.DisposeAsync();
        await base.DisposeAsync();
    }
}
