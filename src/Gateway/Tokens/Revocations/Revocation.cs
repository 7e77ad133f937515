using System.Globalization;

namespace Gateway.Tokens.Revocations;

/// <summary>A revocation: which tokens, those issued before when, and until when it must be remembered.</summary>
/// <param name="Id">What it is filed under: see <see cref="RevocationId"/>.</param>
/// <param name="IssuedBefore">Tokens with an earlier <c>iat</c> are revoked, in seconds since 1970.</param>
/// <param name="Ends">When the last token it can concern has expired, in seconds since 1970.</param>
internal readonly record struct Revocation(string Id, long IssuedBefore, long Ends)
{
    /// <summary>An <see cref="IssuedBefore"/> that no token escapes.</summary>
    public const long Always = 253402300800;

    private const int IdLength = 32;

    /// <summary>The text that the change log spreads.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id}:{IssuedBefore}:{Ends}");

    public static bool TryParse(ReadOnlySpan<char> text, out Revocation revocation)
    {
        revocation = default;
        Span<Range> parts = stackalloc Range[4];
        if (text.Split(parts, ':') != 3 || text[parts[0]].Length != IdLength
            || !long.TryParse(text[parts[1]], NumberStyles.None, CultureInfo.InvariantCulture, out var issuedBefore)
            || !long.TryParse(text[parts[2]], NumberStyles.None, CultureInfo.InvariantCulture, out var ends))
            return false;
        revocation = new Revocation(text[parts[0]].ToString(), issuedBefore, ends);
        return true;
    }

    /// <summary>Both in one: whatever either revokes, for as long as either lasts.</summary>
    public Revocation With(Revocation other) => new(Id, Math.Max(IssuedBefore, other.IssuedBefore), Math.Max(Ends, other.Ends));
}

/// <summary>What revocations are filed under: a hash of scheme, kind and value.</summary>
internal static class RevocationId
{
    /// <summary>A whole scheme.</summary>
    public static string OfScheme(string scheme) => Of(scheme, "all", "");

    /// <summary>Whatever a subject has.</summary>
    public static string OfSubject(string scheme, string subject) => Of(scheme, "sub", subject);

    /// <summary>The token with this <c>jti</c>.</summary>
    public static string OfJti(string scheme, string jti) => Of(scheme, "jti", jti);

    /// <summary>A token by its <see cref="TokenRules.RevocablePart"/>.</summary>
    public static string OfToken(string scheme, string part) => Of(scheme, "token", part);

    /// <summary>Everything under which a token can be revoked.</summary>
    public static string[] AllOf(string scheme, string part, string? jti, string? subject)
    {
        List<string> ids = [OfScheme(scheme), OfToken(scheme, part)];
        if (jti is not null)
            ids.Add(OfJti(scheme, jti));
        if (subject is not null)
            ids.Add(OfSubject(scheme, subject));
        return [.. ids];
    }

    private static string Of(string scheme, string kind, string value) => TokenHash.Of(scheme.ToLowerInvariant(), kind, value);
}
