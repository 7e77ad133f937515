using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>HTTP/2 requests as frames (RFC 9113 §4, §6), which no client library would send.</summary>
internal static class RawHttp2
{
    private const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4, GoAway = 7;
    private const byte EndStream = 1, EndHeaders = 4;

    private static readonly string[] TableStatuses = ["200", "204", "206", "304", "400", "404", "500"];

    /// <summary>Sends one request in clear text, by prior knowledge.</summary>
    /// <param name="node">A node whose public listener speaks HTTP/2.</param>
    /// <param name="fields">Pseudo-fields and fields in Latin-1, sent as they are.</param>
    /// <param name="body">What follows in one frame; null: nothing.</param>
    /// <returns>The status of the answer, or what came in its place: <c>RST_STREAM</c>, <c>GOAWAY</c>, or <c>closed</c>.</returns>
    public static async Task<string> RawHttp2Async(this GatewayNode node, IEnumerable<(string Name, string Value)> fields, string? body = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var client = new TcpClient();
        await client.ConnectAsync(node.PublicAddress.Host, node.PublicAddress.Port, limit.Token);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), limit.Token);
            await stream.WriteAsync(Frame(Settings, 0, 0, []), limit.Token);
            await stream.WriteAsync(Frame(Headers, (byte)(EndHeaders | (body is null ? EndStream : 0)), 1, Block(fields)), limit.Token);
            if (body is not null)
                await stream.WriteAsync(Frame(Data, EndStream, 1, Encoding.Latin1.GetBytes(body)), limit.Token);
            return await ReadAnswerAsync(stream, limit.Token);
        }
        catch (IOException)
        {
            return "closed";
        }
    }

    private static async Task<string> ReadAnswerAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var head = new byte[9];
        while (true)
        {
            await stream.ReadExactlyAsync(head, cancellationToken);
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await stream.ReadExactlyAsync(payload, cancellationToken);
            switch (head[3])
            {
                case Headers:
                    return StatusOf(payload);
                case ResetStream:
                    return "RST_STREAM";
                case GoAway:
                    return "GOAWAY";
            }
        }
    }

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    // Literals without indexing, with new names and no Huffman code: RFC 7541 §6.2.2.
    private static byte[] Block(IEnumerable<(string Name, string Value)> fields)
    {
        var block = new List<byte>();
        foreach (var (name, value) in fields)
        {
            block.Add(0);
            AddText(block, name);
            AddText(block, value);
        }

        return [.. block];
    }

    // A length of up to 126 in one byte is all that the tests need: RFC 7541 §5.1.
    private static void AddText(List<byte> block, string text)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(text.Length, 126);
        block.Add((byte)text.Length);
        block.AddRange(Encoding.Latin1.GetBytes(text));
    }

    // An entry of the static table, or three digits after the name: RFC 7541 §6.1, §6.2, Appendix A.
    private static string StatusOf(ReadOnlySpan<byte> block)
    {
        while ((block[0] & 0xE0) == 0x20)
            block = block[1..];
        return (block[0] & 0x80) != 0 ? TableStatuses[(block[0] & 0x7F) - 8] : Encoding.Latin1.GetString(block.Slice(2, 3));
    }
}
