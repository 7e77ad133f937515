using System.Buffers;

namespace Gateway.Caching.Semantics;

/// <summary>Which response fields are stored, and which a 304 (Not Modified) replaces.</summary>
internal static class FieldRules
{
    private static readonly HashSet<string> NeverStored = new(StringComparer.OrdinalIgnoreCase)
    {
        // Fields for one connection: RFC 9110 §7.6.1, RFC 9111 §3.1.
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info",
        "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        // Made anew for each response: RFC 9111 §5.1, and the length of the stored body. Cache-Status is kept: it says what
        // caches nearer to the origin did, and this one adds itself. RFC 9211 §2, §3.
        "Age", "Content-Length",
    };

    private static readonly HashSet<string> NeverUpdated = new(StringComparer.OrdinalIgnoreCase)
    {
        // They identify or describe the stored bytes, whose integrity a 304 with other values would break: RFC 9111 §3.2.
        "Content-Encoding", "Content-Length", "Content-Range", "Content-MD5", "Content-Digest", "Repr-Digest", "Digest", "ETag",
    };

    // Without one of them a stored response would be more cacheable than it is, or be taken for something else.
    private static readonly HashSet<string> Governing = new(StringComparer.OrdinalIgnoreCase)
    {
        "Cache-Control", TargetedCacheControl.FieldName, "Age", "Date", "Expires", "Vary", "ETag", "Last-Modified",
        "Content-Type", "Content-Encoding", "Content-Length", "Content-Range",
    };

    private static readonly HashSet<string> NeverNominated = new(Governing, StringComparer.OrdinalIgnoreCase)
    {
        // For all recipients.
        "Set-Cookie",
        // The server has acted on those of a request, or needs them for an upgrade; of a response YARP forwards none.
        "Connection", "Host", "Transfer-Encoding", "Upgrade",
    };

    // CTL without HTAB.
    private static readonly SearchValues<char> Controls =
        SearchValues.Create([.. Enumerable.Range(0, 32).Append(127).Select(code => (char)code).Where(c => c != '\t')]);

    // tchar: RFC 9110 §5.6.2.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static bool IsStored(string name) => !NeverStored.Contains(name);

    public static bool IsUpdatedByNotModified(string name) => IsStored(name) && !NeverUpdated.Contains(name);

    /// <summary>Whether naming the field in <c>Connection</c> makes it one for that connection alone. RFC 9110 §7.6.1.</summary>
    public static bool CanBeNominated(string name) => !NeverNominated.Contains(name);

    /// <summary>Whether a response can be stored without the field, where <c>private</c> or <c>no-cache</c> names it. RFC 9111 §5.2.2.4, §5.2.2.7.</summary>
    public static bool CanBeLeftOut(string name) => !Governing.Contains(name);

    /// <summary>Whether a field's value has control characters, which make it invalid. RFC 9110 §5.5.</summary>
    public static bool IsValue(ReadOnlySpan<char> value) => !value.ContainsAny(Controls);

    /// <summary>Whether a text can be the name of a field, a cookie or a method: a token of at most 256 characters. RFC 9110 §5.6.2.</summary>
    public static bool IsToken(string text) => IsToken(text.AsSpan());

    /// <inheritdoc cref="IsToken(string)"/>
    public static bool IsToken(ReadOnlySpan<char> text) => text.Length is > 0 and <= 256 && !text.ContainsAnyExcept(TokenCharacters);
}
