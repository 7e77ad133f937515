using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>Every command that a server runs, also those of scripts, in its order and with its time (<c>MONITOR</c>).</summary>
internal sealed class RedisMonitor : IAsyncDisposable
{
    private readonly TcpClient _client;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Task _reading;

    private RedisMonitor(TcpClient client, StreamReader reader) => (_client, _reading) = (client, ReadAsync(reader));

    /// <summary>Lines such as <c>1339518083.107412 [0 127.0.0.1:60866] "keys" "*"</c>; a script's say <c>lua</c> in place of the address.</summary>
    public IReadOnlyCollection<string> Lines => [.. _lines];

    public static async Task<RedisMonitor> StartAsync(RedisServer server)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port);
        await client.GetStream().WriteAsync("MONITOR\r\n"u8.ToArray());
        var reader = new StreamReader(client.GetStream());
        Assert.Equal("+OK", await reader.ReadLineAsync());
        return new RedisMonitor(client, reader);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _reading;
    }

    private async Task ReadAsync(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
                _lines.Enqueue(line.TrimStart('+'));
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // It is not wanted any more.
        }
    }
}
