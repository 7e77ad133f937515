using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Tokens;

/// <summary>What a verification found: a token's content, a refusal, or neither, because the keys cannot be had.</summary>
internal readonly record struct Verification(TokenContent? Content, TokenRefusal Refusal)
{
    public static Verification Unavailable => default;

    public static implicit operator Verification(TokenRefusal refusal) => new(null, refusal);
}

/// <summary>
/// Verifies a token from nothing: (1) its header, (2) the keys it may be signed with, (3) signature, issuer and
/// audience, (4) its dates.
/// </summary>
internal sealed class TokenVerifier(TimeProvider time)
{
    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false };

    /// <param name="scheme">A scheme with keys.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="token">A token of three parts.</param>
    public async Task<Verification> VerifyAsync(TokenScheme scheme, SigningKeys keys, string token)
    {
        // 1.
        if (Read(token) is not { } jwt)
            return TokenRefusal.Malformed;
        var refusal = TokenRules.CheckHeader(scheme.Options, jwt.Alg, jwt.Typ, jwt.TryGetHeaderValue<object>("crit", out _));
        if (refusal != TokenRefusal.None)
            return refusal;

        // 2.
        if (await keys.GetAsync() is not { } known)
            return Verification.Unavailable;
        var candidates = known.Find(jwt.Kid, jwt.Alg);
        if (candidates.Length == 0)
            candidates = (await keys.GetNewerAsync(known))!.Find(jwt.Kid, jwt.Alg);
        if (candidates.Length == 0)
            return keys.IsOutdated ? Verification.Unavailable : TokenRefusal.UnknownKey;

        // 3.
        var result = await Handler.ValidateTokenAsync(jwt, ParametersFor(scheme.Options, candidates));
        if (!result.IsValid)
            return RefusalOf(result.Exception);

        // 4.
        return Accept(scheme.Options, jwt, candidates);
    }

    private static JsonWebToken? Read(string token)
    {
        try
        {
            var jwt = new JsonWebToken(token);
            using var header = StrictJson.TryParse(Base64UrlEncoder.DecodeBytes(jwt.EncodedHeader));
            return header is null ? null : jwt;
        }
        catch (Exception exception) when (exception is ArgumentException or SecurityTokenException or JsonException or FormatException)
        {
            return null;
        }
    }

    private static TokenValidationParameters ParametersFor(TokenSchemeOptions scheme, VerificationKey[] keys) => new()
    {
        ValidIssuer = scheme.ExpectedIssuer,
        ValidAudience = scheme.Audience,
        // RFC 7519 §4.1.3: another text is another audience.
        IgnoreTrailingSlashWhenValidatingAudience = false,
        ValidAlgorithms = scheme.Algorithms.Count > 0 ? scheme.Algorithms : TokenRules.KnownAlgorithms,
        IssuerSigningKeys = keys.Select(key => key.Key),
        TryAllIssuerSigningKeys = true,
        // TokenRules.CheckTimes does it, by this gateway's clock.
        ValidateLifetime = false,
    };

    private static TokenRefusal RefusalOf(Exception? exception) => exception switch
    {
        SecurityTokenInvalidIssuerException => TokenRefusal.Issuer,
        SecurityTokenInvalidAudienceException => TokenRefusal.Audience,
        SecurityTokenInvalidAlgorithmException => TokenRefusal.Algorithm,
        _ => TokenRefusal.Signature,
    };

    private Verification Accept(TokenSchemeOptions scheme, JsonWebToken jwt, VerificationKey[] keys)
    {
        // The library is content with less than RFC 7519 §7.2 demands.
        using var payload = StrictJson.TryParse(Base64UrlEncoder.DecodeBytes(jwt.EncodedPayload));
        if (payload is null)
            return TokenRefusal.Malformed;
        var times = TokenClaims.ReadTimes(payload.RootElement);
        var now = time.GetUtcNow();
        var refusal = TokenRules.CheckTimes(scheme, times, now);
        if (refusal != TokenRefusal.None)
            return refusal;

        var signedWith = Array.Find(keys, key => ReferenceEquals(key.Key, jwt.SigningKey)) ?? keys[0];
        var expires = DateTimeOffset.FromUnixTimeSeconds(times.ExpiresAt!.Value);
        var until = (expires < now + scheme.CacheDuration ? expires : now + scheme.CacheDuration).ToUnixTimeMilliseconds();
        var claims = TokenClaims.Read(payload.RootElement);
        return new Verification(new TokenContent(signedWith.Thumbprint, times.IssuedAt!.Value, until, until, claims), TokenRefusal.None);
    }
}
