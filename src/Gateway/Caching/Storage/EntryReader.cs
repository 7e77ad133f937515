using System.Text;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching.Storage;

/// <summary>Reads what <see cref="EntryWriter"/> wrote, and trusts none of it: Redis is shared.</summary>
/// <exception cref="InvalidDataException">The bytes end too early, or say something impossible.</exception>
internal ref struct EntryReader(ReadOnlyMemory<byte> bytes)
{
    private const int MaxCount = 10_000;
    // The tenth byte holds the last of 64 bits.
    private const int LastShift = 63;

    private readonly ReadOnlySpan<byte> _bytes = bytes.Span;
    private int _position;

    public readonly bool IsAtEnd => _position == _bytes.Length;

    public byte ReadByte() => _position < _bytes.Length ? _bytes[_position++] : throw new InvalidDataException();

    public long ReadNumber()
    {
        var value = 0UL;
        for (var shift = 0; shift <= LastShift; shift += 7)
        {
            var next = ReadByte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next <= 0x7F)
                return (long)value;
        }

        throw new InvalidDataException();
    }

    /// <summary>How many parts follow.</summary>
    public int ReadCount() => ReadNumber() is var count and >= 0 and <= MaxCount ? (int)count : throw new InvalidDataException();

    /// <summary>A part of the bytes themselves, not a copy of it.</summary>
    public ReadOnlyMemory<byte> ReadBytes()
    {
        var length = ReadNumber();
        if (length < 0 || length > _bytes.Length - _position)
            throw new InvalidDataException();
        _position += (int)length;
        return bytes.Slice(_position - (int)length, (int)length);
    }

    public string ReadText() => SharedText.Of(ReadBytes().Span);

    public string[] ReadTexts() => ReadTexts(ReadCount());

    public StringValues ReadValues()
    {
        var count = ReadCount();
        return count == 1 ? ReadText() : ReadTexts(count);
    }

    /// <summary>Whether the next text is this one.</summary>
    public bool ReadsText(string expected)
    {
        var text = ReadBytes().Span;
        return text.Length >= expected.Length && Encoding.UTF8.GetMaxByteCount(expected.Length) >= text.Length && IsText(text, expected);
    }

    private string[] ReadTexts(int count)
    {
        var texts = new string[count];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = ReadText();
        return texts;
    }

    private static bool IsText(ReadOnlySpan<byte> text, string expected)
    {
        Span<byte> bytes = stackalloc byte[1024];
        var isShort = Encoding.UTF8.TryGetBytes(expected, bytes, out var length);
        return text.SequenceEqual(isShort ? bytes[..length] : Encoding.UTF8.GetBytes(expected));
    }
}
