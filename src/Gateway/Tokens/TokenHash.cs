using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Tokens;

/// <summary>Hashes that stand for tokens and what they say: neither memory keys nor Redis nor the change log see those themselves.</summary>
internal static class TokenHash
{
    /// <summary>SHA-256 in hexadecimal of a scheme's fingerprint and a whole token: the key of a validation's result.</summary>
    /// <param name="fingerprint">Always of the same length, so that no two pairs are written alike.</param>
    /// <param name="token">The token with its signature: another signature must not find the result.</param>
    public static string OfToken(string fingerprint, ReadOnlySpan<char> token)
    {
        var length = fingerprint.Length + token.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Encoding.ASCII.GetBytes(fingerprint, buffer);
            Encoding.ASCII.GetBytes(token, buffer.AsSpan(fingerprint.Length));
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(buffer.AsSpan(0, length), hash);
            return Convert.ToHexStringLower(hash);
        }
        finally
        {
            // Only what was written: buffers are larger, and nobody else may read a token in one.
            buffer.AsSpan(0, length).Clear();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The first 128 bits of SHA-256 over parts, each with its length.</summary>
    public static string Of(params ReadOnlySpan<string> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
            text.Append(part.Length).Append(':').Append(part);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
    }
}
