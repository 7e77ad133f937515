using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// A client with one open connection: HTTP/1.1 with as little work as there can be, so that hundreds of them on the load's
/// core see the answers come, and not each other.
/// </summary>
internal sealed class OpenConnection : IDisposable
{
    private const int LargestAnswer = 8 << 10;

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[LargestAnswer];

    private OpenConnection(int node) => Node = node;

    /// <summary>The number of the server that it is open to.</summary>
    public int Node { get; }

    public static async Task<OpenConnection> OpenAsync(int node, int port, CancellationToken cancellationToken)
    {
        var connection = new OpenConnection(node);
        await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
        return connection;
    }

    /// <summary>Sends a request and waits for the whole answer.</summary>
    /// <param name="fields">More fields, each with its line's end.</param>
    /// <exception cref="BenchException">The connection ended, or the answer has no Content-Length.</exception>
    public async Task<Answer> GetAsync(string path, string identity, string language, string fields, CancellationToken cancellationToken)
    {
        var request = Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: bench.example\r\n{SlowContent.IdentityField}: {identity}\r\nAccept-Language: {language}\r\n{fields}\r\n");
        var asked = Stopwatch.GetTimestamp();
        await _socket.SendAsync(request, cancellationToken);
        var (length, head, whole) = (0, -1, int.MaxValue);
        while (length < whole)
        {
            var count = await _socket.ReceiveAsync(_buffer.AsMemory(length), cancellationToken);
            if (count == 0)
                throw new BenchException($"The answer to {path} ended after {length} bytes.");
            length += count;
            if (head < 0 && (head = _buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) >= 0)
                whole = head + 4 + LengthOf(_buffer.AsSpan(0, head));
        }

        var received = Stopwatch.GetTimestamp();
        var isHit = _buffer.AsSpan(0, head).IndexOf("\r\nCache-Status: Gateway; hit"u8) >= 0;
        return new Answer(StatusOf(_buffer), isHit, Encoding.ASCII.GetString(_buffer, head + 4, whole - head - 4), asked, received);
    }

    public void Dispose() => _socket.Dispose();

    private static int StatusOf(ReadOnlySpan<byte> head) => Utf8Parser.TryParse(head["HTTP/1.1 ".Length..], out int status, out _) ? status : 0;

    private static int LengthOf(ReadOnlySpan<byte> head)
    {
        var name = "\r\nContent-Length: "u8;
        var at = head.IndexOf(name);
        return at >= 0 && Utf8Parser.TryParse(head[(at + name.Length)..], out int length, out _)
            ? length
            : throw new BenchException($"An answer without Content-Length:\n{Encoding.ASCII.GetString(head)}");
    }
}

/// <summary>An answer, whether a gateway had it stored, and when it was asked for and received, on the machine's monotonic clock.</summary>
internal sealed record Answer(int Status, bool IsHit, string Body, long Asked, long Received);
