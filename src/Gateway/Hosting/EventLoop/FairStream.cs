using System.Net;
using System.Net.Sockets;

namespace Gateway.Hosting.EventLoop;

/// <summary>
/// What an origin sends, read so that its connection leaves the thread when its <see cref="Turn"/> is over. A
/// <see cref="NetworkStream"/>, by whose socket HttpClient sees whether an idle connection is still good.
/// </summary>
internal sealed class FairStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    /// <summary>Connects as HttpClient does.</summary>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint origin, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(origin, cancellationToken);
            return new FairStream(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Turn.IsOver(this) ? ReadElsewhereAsync(buffer, cancellationToken) : base.ReadAsync(buffer, cancellationToken);

    private async ValueTask<int> ReadElsewhereAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return await base.ReadAsync(buffer, cancellationToken);
    }
}
