using System.Text;

namespace Gateway.Caching.Storage;

/// <summary>
/// One instance for texts that come again and again (names of fields, <c>Content-Type</c>, dates of one second, routes):
/// half of what a small response takes beside its body. A table of fixed size in which the latest text wins its place, so
/// that it needs no lock and texts that never come again cost nothing.
/// </summary>
internal static class SharedText
{
    private const int Places = 4096;

    // Longer ones rarely come twice.
    private const int MaxLength = 128;

    private static readonly string?[] Known = new string?[Places];

    /// <returns>An equal text, the one that others hold where it is known.</returns>
    public static string Of(string text)
    {
        if (text.Length > MaxLength)
            return text;
        ref var place = ref Known[(uint)text.GetHashCode(StringComparison.Ordinal) % Places];
        if (Volatile.Read(ref place) is { } known && known == text)
            return known;
        Volatile.Write(ref place, text);
        return text;
    }

    /// <param name="bytes">A text in UTF-8, which becomes a new string only where it is not known.</param>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxLength)
            return Encoding.UTF8.GetString(bytes);
        Span<char> buffer = stackalloc char[MaxLength];
        return Of(buffer[..Encoding.UTF8.GetChars(bytes, buffer)]);
    }

    /// <param name="text">A text, which becomes a new string only where it is not known.</param>
    public static string Of(ReadOnlySpan<char> text)
    {
        if (text.Length > MaxLength)
            return text.ToString();
        ref var place = ref Known[(uint)string.GetHashCode(text, StringComparison.Ordinal) % Places];
        if (Volatile.Read(ref place) is { } known && text.SequenceEqual(known))
            return known;
        var added = text.ToString();
        Volatile.Write(ref place, added);
        return added;
    }
}
