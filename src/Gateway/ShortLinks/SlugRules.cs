using System.Buffers;
using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Gateway.ShortLinks;

/// <summary>What a slug may be.</summary>
internal static class SlugRules
{
    public const int MaxLength = 64;
    public const string Fix = "Write 1 to 64 letters (a to z), digits, '-' or '_'.";

    // Without 0 and O, 1, I and l: slugs are read aloud and typed from paper.
    private const string Alphabet = "23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
    private const string LowerAlphabet = "23456789abcdefghijkmnpqrstuvwxyz";

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // What people expect behind such a name is not what somebody's link leads to.
    private static readonly FrozenSet<string> Reserved = FrozenSet.ToFrozenSet(
        ["admin", "api", "healthz", "login", "logout", "metrics", "oauth", "password", "readyz", "security", "signin", "signout", "signup", "support", "well-known"],
        StringComparer.OrdinalIgnoreCase);

    public static bool IsWellFormed(string slug) =>
        slug.Length is >= 1 and <= MaxLength && !slug.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>Reads a slug that a request names, in the form under which its link is kept.</summary>
    public static bool TryRead(string? text, ShortLinksOptions options, out string slug)
    {
        slug = text is null ? "" : options.CaseSensitive ? text : text.ToLowerInvariant();
        return text is not null && IsWellFormed(text);
    }

    /// <summary>Whether no link may have this slug.</summary>
    public static bool IsReserved(string slug, ShortLinksOptions options) =>
        Reserved.Contains(slug) || options.ReservedSlugs.Contains(slug, StringComparer.OrdinalIgnoreCase);

    /// <summary>A slug that cannot be guessed from others.</summary>
    public static string Generate(ShortLinksOptions options)
    {
        var alphabet = options.CaseSensitive ? Alphabet : LowerAlphabet;
        while (true)
        {
            var slug = RandomNumberGenerator.GetString(alphabet, options.GeneratedLength);
            if (!IsReserved(slug, options))
                return slug;
        }
    }
}
