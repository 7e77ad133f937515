using System.Numerics;
using System.Runtime.InteropServices;
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
        Span<byte> bytes = stackalloc byte[MaxLength];
        return Ascii.FromUtf16(text, bytes, out var length) == System.Buffers.OperationStatus.Done ? Of(bytes[..length], text) : text;
    }

    /// <param name="bytes">A text in UTF-8, which becomes a new string only where it is not known.</param>
    public static string Of(ReadOnlySpan<byte> bytes) =>
        bytes.Length <= MaxLength && Ascii.IsValid(bytes) ? Of(bytes, null) : Encoding.UTF8.GetString(bytes);

    private static string Of(ReadOnlySpan<byte> ascii, string? text)
    {
        ref var place = ref Known[HashOf(ascii) % Places];
        if (Volatile.Read(ref place) is { } known && Ascii.Equals(ascii, known))
            return known;
        text ??= Encoding.ASCII.GetString(ascii);
        Volatile.Write(ref place, text);
        return text;
    }

    // Quick rather than good: whom a collision costs anything has chosen the texts for itself.
    private static uint HashOf(ReadOnlySpan<byte> ascii)
    {
        var hash = (uint)ascii.Length;
        var words = MemoryMarshal.Cast<byte, ulong>(ascii);
        foreach (var word in words)
            hash = BitOperations.Crc32C(hash, word);
        foreach (var rest in ascii[(words.Length * sizeof(ulong))..])
            hash = BitOperations.Crc32C(hash, rest);
        return hash;
    }
}
