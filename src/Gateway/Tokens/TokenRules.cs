using System.Buffers;
using System.Collections.Frozen;

namespace Gateway.Tokens;

/// <summary>What decides about a token besides its signature, issuer and audience: no I/O, no clock.</summary>
internal static class TokenRules
{
    /// <summary>The longest token, in characters: longer ones are refused unread.</summary>
    public const int MaxLength = 16 * 1024;

    // RFC 9068 §2.1.
    private const string AccessTokenType = "at+jwt";
    private const string MediaTypePrefix = "application/";

    // Base64url and the two dots.
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    // RFC 6750 §2.1: b64token.
    private static readonly SearchValues<char> OpaqueCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");

    /// <summary>
    /// Every algorithm that can be allowed: asymmetric ones. With a symmetric one, whoever knows the public key could
    /// sign (RFC 8725 §2.1).
    /// </summary>
    public static FrozenSet<string> KnownAlgorithms { get; } = FrozenSet.ToFrozenSet(
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"], StringComparer.Ordinal);

    /// <summary>Whether a text can be a token of such a scheme at all.</summary>
    public static TokenRefusal CheckSyntax(TokenKind kind, string token)
    {
        if (token.Length > MaxLength)
            return TokenRefusal.TooLong;
        return (kind == TokenKind.Jwt ? IsCompact(token) : IsOpaque(token)) ? TokenRefusal.None : TokenRefusal.Malformed;
    }

    /// <summary>
    /// What of a token a revocation is filed under. Of a signed one, what is signed, without its signature: many
    /// signatures fit the same content (the two forms of an ECDSA signature, say), and whoever holds
    /// a token could write another one. A provider that is asked may have issued a signed one too.
    /// </summary>
    public static string RevocablePart(TokenKind kind, string token) =>
        kind == TokenKind.Jwt || (IsCompact(token) && BeginsWithObject(token)) ? token[..Math.Max(0, token.LastIndexOf('.'))] : token;

    // Three parts of base64url: RFC 7515 §3.1.
    private static bool IsCompact(string token) => !token.AsSpan().ContainsAnyExcept(Characters) && token.AsSpan().Count('.') == 2;

    private static bool IsOpaque(string token) =>
        token.AsSpan().TrimEnd('=') is { Length: > 0 } characters && !characters.ContainsAnyExcept(OpaqueCharacters);

    // How '{' begins in base64url, before a quote or white space.
    private static bool BeginsWithObject(string token) => token.StartsWith("ey", StringComparison.Ordinal) || token.StartsWith("ew", StringComparison.Ordinal);

    /// <summary>What the header must say. Where it says that keys lie (<c>jku</c>, <c>x5u</c>, <c>jwk</c>, <c>x5c</c>) is never read.</summary>
    /// <param name="hasCritical">Whether it has <c>crit</c>: extensions that must be understood, and none is (RFC 7515 §4.1.11).</param>
    public static TokenRefusal CheckHeader(TokenSchemeOptions scheme, string? algorithm, string? type, bool hasCritical)
    {
        IEnumerable<string> algorithms = scheme.Algorithms.Count > 0 ? scheme.Algorithms : KnownAlgorithms;
        if (algorithm is null || !algorithms.Contains(algorithm, StringComparer.Ordinal) || hasCritical)
            return TokenRefusal.Algorithm;
        if (type is null)
            return TokenRefusal.Type;
        IEnumerable<string> types = scheme.Types.Count > 0 ? scheme.Types : [AccessTokenType];
        return types.Any(accepted => WithoutPrefix(accepted).Equals(WithoutPrefix(type), StringComparison.OrdinalIgnoreCase))
            ? TokenRefusal.None
            : TokenRefusal.Type;
    }

    /// <summary>Whether a token holds now: RFC 7519 §4.1.4 to §4.1.6.</summary>
    public static TokenRefusal CheckTimes(TokenSchemeOptions scheme, TokenTimes times, DateTimeOffset now)
    {
        if (times.IssuedAt is not { } issuedAt || times.ExpiresAt is not { } expiresAt)
            return TokenRefusal.Undated;
        var seconds = now.ToUnixTimeSeconds();
        var skew = (long)scheme.ClockSkew.TotalSeconds;
        if (expiresAt + skew <= seconds)
            return TokenRefusal.Expired;
        if (issuedAt - skew > seconds || times.NotBefore - skew > seconds)
            return TokenRefusal.NotYetValid;
        return expiresAt - issuedAt > (long)scheme.MaxLifetime.TotalSeconds ? TokenRefusal.LongLived : TokenRefusal.None;
    }

    /// <summary>RFC 6749 §3.3: scope-token.</summary>
    public static bool IsScope(string text) => text.Length > 0 && text.All(c => c is > ' ' and <= '~' and not '"' and not '\\');

    // RFC 7515 §4.1.9.
    private static ReadOnlySpan<char> WithoutPrefix(string type) =>
        type.StartsWith(MediaTypePrefix, StringComparison.OrdinalIgnoreCase) ? type.AsSpan(MediaTypePrefix.Length) : type;

    private static bool Equals(this ReadOnlySpan<char> left, ReadOnlySpan<char> right, StringComparison comparison) =>
        MemoryExtensions.Equals(left, right, comparison);
}

/// <summary>The dates of a token, in seconds since 1970; null where it has none.</summary>
internal readonly record struct TokenTimes(long? IssuedAt, long? NotBefore, long? ExpiresAt);

/// <summary>Why a token is refused.</summary>
internal enum TokenRefusal
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>It cannot be a token: a signed one has the compact form of RFC 7515 §3.1, any other that of RFC 6750 §2.1.</summary>
    Malformed,

    /// <summary>It is longer than <see cref="TokenRules.MaxLength"/>.</summary>
    TooLong,

    /// <summary>Its algorithm is not allowed, or it asks for extensions.</summary>
    Algorithm,

    /// <summary>Its <c>typ</c> is not accepted.</summary>
    Type,

    /// <summary>The issuer publishes no such key.</summary>
    UnknownKey,

    /// <summary>The signature is wrong.</summary>
    Signature,

    /// <summary>Another issuer's.</summary>
    Issuer,

    /// <summary>Meant for somebody else.</summary>
    Audience,

    /// <summary>It lacks <c>iat</c> or <c>exp</c>.</summary>
    Undated,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>Its time has not come.</summary>
    NotYetValid,

    /// <summary>It was issued for longer than revocations are kept.</summary>
    LongLived,

    /// <summary>The provider says that it is not active (RFC 7662 §2.2).</summary>
    Inactive,

    /// <summary>This gateway gave out no such key.</summary>
    UnknownToken,

    /// <summary>It was revoked.</summary>
    Revoked,
}

internal static class TokenRefusals
{
    /// <summary>What a client is told: <c>error_description</c> of RFC 6750 §3, without quotes and backslashes.</summary>
    public static string Describe(this TokenRefusal refusal, TokenKind kind) =>
        kind == TokenKind.ApiKey ? Describe(refusal).Replace("token", "key", StringComparison.Ordinal) : Describe(refusal);

    private static string Describe(TokenRefusal refusal) => refusal switch
    {
        TokenRefusal.Malformed => "The token is malformed",
        TokenRefusal.TooLong => "The token is too long",
        TokenRefusal.Algorithm => "The signature algorithm of the token is not accepted",
        TokenRefusal.Type => "The type of the token is not accepted",
        TokenRefusal.UnknownKey => "The token was signed with an unknown key",
        TokenRefusal.Signature => "The signature of the token is wrong",
        TokenRefusal.Issuer => "The token was issued by someone else",
        TokenRefusal.Audience => "The token is meant for someone else",
        TokenRefusal.Undated => "The token does not say when it was issued and when it expires",
        TokenRefusal.Expired => "The token has expired",
        TokenRefusal.NotYetValid => "The token is not valid yet",
        TokenRefusal.LongLived => "The token was issued for a longer time than is accepted",
        TokenRefusal.Inactive => "The token is not active",
        TokenRefusal.UnknownToken => "The token is not known",
        TokenRefusal.Revoked => "The token was revoked",
        _ => "The token is not accepted",
    };

    /// <summary>Whether a refusal is worth remembering: it cost work, and for a signed token only new keys could change it.</summary>
    public static bool IsLasting(this TokenRefusal refusal, TokenKind kind) => (refusal != TokenRefusal.None && kind != TokenKind.Jwt) || refusal
        is TokenRefusal.Signature or TokenRefusal.Issuer or TokenRefusal.Audience or TokenRefusal.Undated or TokenRefusal.Expired or TokenRefusal.LongLived;
}
