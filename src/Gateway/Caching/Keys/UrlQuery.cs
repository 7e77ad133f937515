using System.Buffers;
using System.Text;

namespace Gateway.Caching.Keys;

/// <summary>
/// The one form of a query by which URLs are compared, whoever wrote them: clients send characters that have no place in a
/// URL, and libraries escape what they are given, each in its own way.
/// </summary>
internal static class UrlQuery
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    private static readonly SearchValues<char> UnreservedCharacters = SearchValues.Create(Unreserved);

    // RFC 3986 §3.4.
    private static readonly SearchValues<char> QueryCharacters = SearchValues.Create(Unreserved + "!$&'()*+,;=:@/?");

    /// <summary>
    /// Escapes what has no place in a query, and writes each escape one way: RFC 3986 §6.2.2.1, §6.2.2.2. Queries that
    /// come out alike mean the same to origins that follow it.
    /// </summary>
    /// <param name="query">Empty, or with its question mark.</param>
    public static string Normalize(string query) => query.AsSpan().ContainsAnyExcept(QueryCharacters) ? Rewrite(query) : query;

    /// <summary>The query of a URL as it was written, not as a library read it: empty, or with its question mark.</summary>
    public static string Of(string url)
    {
        var end = url.IndexOf('#', StringComparison.Ordinal) is >= 0 and var fragment ? fragment : url.Length;
        var start = url.IndexOf('?', 0, end);
        return start < 0 ? "" : url[start..end];
    }

    private static string Rewrite(string query)
    {
        var text = new StringBuilder(query.Length + 16);
        Span<byte> octets = stackalloc byte[4];
        for (var rest = query.AsSpan(); !rest.IsEmpty;)
        {
            if (rest[0] == '%' && TryReadEscape(rest, out var octet))
            {
                AppendOctet(text, octet);
                rest = rest[3..];
                continue;
            }

            Rune.DecodeFromUtf16(rest, out var rune, out var length);
            if (rune.IsAscii && QueryCharacters.Contains((char)rune.Value))
            {
                text.Append((char)rune.Value);
            }
            else
            {
                foreach (var one in octets[..rune.EncodeToUtf8(octets)])
                    text.Append('%').Append(one.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }

            rest = rest[length..];
        }

        return text.ToString();
    }

    private static bool TryReadEscape(ReadOnlySpan<char> text, out byte octet)
    {
        octet = 0;
        return text.Length >= 3 && char.IsAsciiHexDigit(text[1]) && char.IsAsciiHexDigit(text[2])
            && byte.TryParse(text[1..3], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out octet);
    }

    private static void AppendOctet(StringBuilder text, byte octet)
    {
        if (UnreservedCharacters.Contains((char)octet))
            text.Append((char)octet);
        else
            text.Append('%').Append(octet.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
    }
}
