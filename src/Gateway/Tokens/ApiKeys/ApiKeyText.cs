using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Tokens.ApiKeys;

/// <summary>
/// How keys look: <c>prefix_id_secret</c> in letters and digits. The id (12 characters) finds the key and is no secret;
/// of the rest, 43 characters are 256 random bits and 6 a checksum over everything before them, by which a mistyped or
/// invented key is refused without looking anywhere, and a scanner tells a key from a text that looks like one.
/// </summary>
internal static class ApiKeyText
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int IdLength = 12;
    private const int SecretLength = 43;
    private const int ChecksumLength = 6;
    private static readonly SearchValues<char> Characters = SearchValues.Create(Alphabet);

    public static string NewId() => RandomNumberGenerator.GetString(Alphabet, IdLength);

    /// <summary>A new key under an id.</summary>
    public static string Create(string prefix, string id)
    {
        var text = $"{prefix}_{id}_{RandomNumberGenerator.GetString(Alphabet, SecretLength)}";
        return text + Checksum(text);
    }

    /// <summary>The id of a key; null where a text cannot be one.</summary>
    public static string? IdOf(string text, string prefix)
    {
        var start = prefix.Length + 1;
        if (text.Length != start + IdLength + 1 + SecretLength + ChecksumLength || !text.StartsWith(prefix, StringComparison.Ordinal)
            || text[prefix.Length] != '_' || text[start + IdLength] != '_'
            || !IsId(text.AsSpan(start, IdLength)) || text.AsSpan(start + IdLength + 1).ContainsAnyExcept(Characters))
            return null;
        return text.AsSpan()[^ChecksumLength..].SequenceEqual(Checksum(text.AsSpan()[..^ChecksumLength])) ? text.Substring(start, IdLength) : null;
    }

    public static bool IsId(ReadOnlySpan<char> text) => text.Length == IdLength && !text.ContainsAnyExcept(Characters);

    /// <summary>What is kept of a key: SHA-256 in hexadecimal. Its 256 random bits cannot be guessed, however fast one may try.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)));

    // The first 32 bits of SHA-256, in base 62.
    private static string Checksum(ReadOnlySpan<char> text)
    {
        Span<byte> octets = stackalloc byte[128];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(octets[..Encoding.ASCII.GetBytes(text, octets)], hash);
        var number = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(hash);
        Span<char> digits = stackalloc char[ChecksumLength];
        for (var i = ChecksumLength - 1; i >= 0; i--)
        {
            digits[i] = Alphabet[(int)(number % (uint)Alphabet.Length)];
            number /= (uint)Alphabet.Length;
        }

        return new string(digits);
    }
}
