using System.Buffers;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Storage;

/// <summary>Writes the parts of an entry one behind the other, into an array of the pool. Who takes what was written may give that back.</summary>
internal struct EntryWriter(int capacity)
{
    private const int MaxLengthBytes = 10;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(capacity);
    private int _length;

    public readonly ArraySegment<byte> Written => new(_bytes, 0, _length);

    public void Write(byte value)
    {
        MakeRoom(1);
        _bytes[_length++] = value;
    }

    /// <summary>Seven bits a byte, the lowest first; the highest bit says that another byte follows.</summary>
    public void WriteNumber(long value)
    {
        MakeRoom(MaxLengthBytes);
        var rest = (ulong)value;
        for (; rest > 0x7F; rest >>= 7)
            _bytes[_length++] = (byte)(rest | 0x80);
        _bytes[_length++] = (byte)rest;
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        WriteNumber(bytes.Length);
        MakeRoom(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    public void WriteText(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        WriteNumber(length);
        MakeRoom(length);
        _length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(_length));
    }

    public void WriteTexts(StringValues texts)
    {
        WriteNumber(texts.Count);
        foreach (var text in texts)
            WriteText(text ?? "");
    }

    private void MakeRoom(int count)
    {
        if (_length + count <= _bytes.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + count, 2 * _bytes.Length));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
