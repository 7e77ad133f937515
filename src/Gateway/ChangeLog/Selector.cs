using System.Buffers.Text;
using System.Security.Cryptography;

namespace Gateway.ChangeLog;

/// <summary>
/// What a change concerns: a stored response matches by its URL, tags, route or by being stored at all; a token, a
/// subject or a short link by its name. The text is what Redis holds: a kind, a colon, and a value of at most
/// <see cref="MaxValueLength"/> characters; what could be secret or long is hashed.
/// </summary>
/// <param name="Text">The kind and value, such as <c>tag:product-7</c>.</param>
internal readonly record struct Selector(string Text)
{
    /// <summary>The longest tag, route id or name in a selector, in characters.</summary>
    public const int MaxValueLength = 256;

    private const int HashBytes = 9;

    // No kind begins with it.
    private const char SoftMark = '~';

    /// <summary>Every stored response.</summary>
    public static Selector All { get; } = new("all:");

    /// <summary>Every stored response of a URL: all methods, variants, routes and policies.</summary>
    /// <param name="canonicalUrl">The URL in the canonical form of the cache key encoder. Its query may hold secrets.</param>
    public static Selector Url(string canonicalUrl) => new("url:" + Hash(canonicalUrl));

    public static Selector Tag(string tag) => Of("tag", tag);

    public static Selector Route(string routeId) => Of("route", routeId.Length <= MaxValueLength ? routeId : Hash(routeId));

    /// <summary>Every stored response whose URL is below a prefix that ends at a path segment's boundary.</summary>
    /// <param name="canonicalPrefix">One of what the cache key encoder lists for such a URL.</param>
    public static Selector UrlPrefix(ReadOnlySpan<char> canonicalPrefix) => new("prefix:" + Hash(canonicalPrefix));

    /// <summary>
    /// The soft form: what it matches becomes stale instead of unusable. Only the log knows it, as a text of its own, so
    /// that a soft change never covers up a hard one to the same thing; what is stored carries the plain form alone.
    /// </summary>
    public Selector Soft() => new(SoftMark + Text);

    /// <summary>The plain form, if this is a soft one.</summary>
    public bool TryGetHard(out Selector hard)
    {
        var isSoft = Text.StartsWith(SoftMark);
        hard = isSoft ? new Selector(Text[1..]) : this;
        return isSoft;
    }

    /// <summary>A change to something a feature names itself, such as a short link or a revoked token.</summary>
    /// <param name="kind">The kind, in lower case, without a colon; one feature owns it.</param>
    /// <param name="value">What changed; never a secret in plain text.</param>
    public static Selector Of(string kind, string value) =>
        value.Length <= MaxValueLength
            ? new($"{kind}:{value}")
            : throw new ArgumentException($"A selector's value has at most {MaxValueLength} characters.", nameof(value));

    /// <summary>The value, if this selector is of <paramref name="kind"/>.</summary>
    public bool TryGetValue(string kind, out ReadOnlySpan<char> value)
    {
        var matches = Text.Length > kind.Length && Text[kind.Length] == ':' && Text.StartsWith(kind, StringComparison.Ordinal);
        value = matches ? Text.AsSpan(kind.Length + 1) : default;
        return matches;
    }

    // 72 bits of SHA-256, as every stored response holds some. Two texts that share one would cost the other's responses a fetch, nothing else.
    private static string Hash(ReadOnlySpan<char> value)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        TextHash.Write(value, hash);
        return Base64Url.EncodeToString(hash[..HashBytes]);
    }
}
