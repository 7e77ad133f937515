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
}
