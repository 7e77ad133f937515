using System.Buffers;
using System.Globalization;

namespace Gateway.Caching.Keys;

/// <summary>
/// Writes a key part by part: each as its length, a colon and its text. On the stack while it fits, because every hit
/// comes through here and needs no string.
/// </summary>
internal ref struct KeyWriter(Span<char> initial)
{
    private const int MaxLengthDigits = 11;

    private Span<char> _buffer = initial;
    private char[]? _rented;

    public int Length { get; private set; }

    public readonly ReadOnlySpan<char> Written => _buffer[..Length];

    public void AppendPart(scoped ReadOnlySpan<char> part)
    {
        MakeRoom(part.Length + MaxLengthDigits);
        part.Length.TryFormat(_buffer[Length..], out var digits, default, CultureInfo.InvariantCulture);
        Length += digits;
        _buffer[Length++] = ':';
        part.CopyTo(_buffer[Length..]);
        Length += part.Length;
    }

    public void Append(scoped ReadOnlySpan<char> text)
    {
        MakeRoom(text.Length);
        text.CopyTo(_buffer[Length..]);
        Length += text.Length;
    }

    /// <summary>Takes back what was written past <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = length;

    public readonly void Dispose()
    {
        if (_rented is not null)
            ArrayPool<char>.Shared.Return(_rented);
    }

    private void MakeRoom(int needed)
    {
        if (Length + needed <= _buffer.Length)
            return;
        var larger = ArrayPool<char>.Shared.Rent(Math.Max(Length + needed, 2 * _buffer.Length));
        Written.CopyTo(larger);
        Dispose();
        _buffer = _rented = larger;
    }
}
