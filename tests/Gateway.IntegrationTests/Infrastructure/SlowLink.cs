using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A network between a node and a server: it can be slow, and it can break.</summary>
internal sealed class SlowLink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<TcpClient, bool> _open = new();
    private readonly Task _accepting;

    private SlowLink(int target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>How long what the server sends is held back.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Whether new connections are ended at once: with <see cref="Break"/>, nothing reaches the server any more.</summary>
    public bool IsDown { get; set; }

    public static SlowLink To(int port) => new(port);

    /// <summary>Breaks every connection; new ones are accepted.</summary>
    public void Break()
    {
        foreach (var client in _open.Keys)
            client.Client?.Close(0); // Null once the connection has ended by itself.
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _accepting; // Before the listener stops: one that does not listen refuses to accept.
        _listener.Stop();
        Break();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_ending.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The link ends.
        }
    }

    private async Task ServeAsync(TcpClient near)
    {
        using var far = new TcpClient();
        using (near)
        {
            if (IsDown)
                return;
            _open[near] = true;
            try
            {
                near.NoDelay = far.NoDelay = true;
                await far.ConnectAsync(IPAddress.Loopback, _target, _ending.Token);
                await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), _ending.Token), CopySlowlyAsync(far.GetStream(), near.GetStream()));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
            {
                // A broken connection is what this is for.
            }
            finally
            {
                _open.TryRemove(near, out _);
            }
        }
    }

    // Read on while earlier bytes are held back: a delay is no limit of throughput.
    private async Task CopySlowlyAsync(NetworkStream from, NetworkStream to)
    {
        var held = Channel.CreateBounded<(byte[] Bytes, long Due)>(10_000);
        var writing = WriteAsync();
        var buffer = new byte[64 * 1024];
        while (await from.ReadAsync(buffer, _ending.Token) is > 0 and var count)
            await held.Writer.WriteAsync((buffer[..count], TimeProvider.System.GetTimestamp()), _ending.Token);
        held.Writer.Complete();
        await writing;

        async Task WriteAsync()
        {
            await foreach (var (bytes, came) in held.Reader.ReadAllAsync(_ending.Token))
            {
                var left = Delay - TimeProvider.System.GetElapsedTime(came);
                if (left > TimeSpan.Zero)
                    await Task.Delay(left, TimeProvider.System, _ending.Token);
                await to.WriteAsync(bytes, _ending.Token);
            }
        }
    }
}
