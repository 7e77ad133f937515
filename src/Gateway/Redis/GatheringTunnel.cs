using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace Gateway.Redis;

/// <summary>Puts a <see cref="GatheringStream"/> between the library and the network, for commands: there are no answers to subscriptions.</summary>
internal sealed class GatheringTunnel(TimeProvider time) : Tunnel
{
    public override ValueTask<Stream?> BeforeAuthenticateAsync(
        EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken) =>
        new(socket is not null && connectionType == ConnectionType.Interactive ? new GatheringStream(socket, time) : null);
}
