using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.Benchmarks.Peers;

/// <summary>A server under test, running.</summary>
/// <param name="Name">Its name in <see cref="PeerList"/>.</param>
/// <param name="Version">What it is, exactly.</param>
/// <param name="Port">Its loopback port.</param>
/// <param name="AdminPort">The port of its admin listener, where it is a gateway.</param>
/// <param name="Server">Its processes.</param>
/// <param name="Redis">The Redis of its own, where it uses one.</param>
/// <param name="RedisPort">That Redis' loopback port.</param>
/// <param name="Link">The network between the two, where it can be slow.</param>
internal sealed record Peer(
    string Name, string Version, int Port, int AdminPort, ServerProcess Server, ServerProcess? Redis, int RedisPort, SlowLink? Link) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        if (Link is not null)
            await Link.DisposeAsync();
        if (Redis is not null)
            await Redis.DisposeAsync();
    }
}
