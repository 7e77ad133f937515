using System.Text.Json;

namespace Gateway.Tokens.Introspection;

/// <summary>What an introspection response (RFC 7662 §2.2) means for a scheme: no I/O, no clock.</summary>
internal static class IntrospectionAnswer
{
    private const string Active = "active";

    /// <returns>Neither accepted nor refused: this is no such response, and says nothing about the token.</returns>
    public static Verification Read(ReadOnlyMemory<byte> json, TokenSchemeOptions scheme, DateTimeOffset now)
    {
        using var answer = StrictJson.TryParse(json);
        return answer is null ? Verification.Unavailable : Read(answer.RootElement, scheme, now);
    }

    private static Verification Read(JsonElement answer, TokenSchemeOptions scheme, DateTimeOffset now)
    {
        if (answer.ValueKind != JsonValueKind.Object || !answer.TryGetProperty(Active, out var active) || active.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            return Verification.Unavailable;
        if (active.ValueKind == JsonValueKind.False)
            return TokenRefusal.Inactive;
        if (scheme.Issuer.Length > 0 && !Names(answer, "iss", scheme.Issuer))
            return TokenRefusal.Issuer;
        if (scheme.Audience.Length > 0 && !Names(answer, "aud", scheme.Audience))
            return TokenRefusal.Audience;
        var times = TokenClaims.ReadTimes(answer);
        var refusal = TokenRules.CheckTimes(scheme, times, now);
        return refusal == TokenRefusal.None ? Accept(answer, scheme, times, now) : refusal;
    }

    private static Verification Accept(JsonElement answer, TokenSchemeOptions scheme, TokenTimes times, DateTimeOffset now)
    {
        var expires = times.ExpiresAt!.Value * 1000;
        var usable = Math.Min(expires, (now + scheme.CacheDuration).ToUnixTimeMilliseconds());
        var kept = Math.Min(expires, usable + (long)scheme.Introspection.UseWhileUnavailable.TotalMilliseconds);
        TokenClaim[] claims = [.. TokenClaims.Read(answer).Where(claim => claim.Type != Active)];
        return new Verification(new TokenContent("", times.IssuedAt!.Value, usable, kept, claims), TokenRefusal.None);
    }

    // RFC 7519 §4.1.3: one, or a list.
    private static bool Names(JsonElement answer, string member, string expected) =>
        answer.TryGetProperty(member, out var value) && value.ValueKind switch
        {
            JsonValueKind.String => value.ValueEquals(expected),
            JsonValueKind.Array => value.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.ValueEquals(expected)),
            _ => false,
        };
}
