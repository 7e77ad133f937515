using System.Security.Cryptography;
using System.Text;

namespace Gateway;

/// <summary>SHA-256 of texts on hot paths: without an array where the text is short.</summary>
internal static class TextHash
{
    /// <param name="text">The text, hashed as UTF-8.</param>
    /// <param name="hash">Room for 32 bytes.</param>
    public static void Write(ReadOnlySpan<char> text, Span<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[512];
        var isShort = Encoding.UTF8.TryGetBytes(text, bytes, out var length);
        SHA256.HashData(isShort ? bytes[..length] : Encoding.UTF8.GetBytes(text.ToArray()), hash);
    }
}
