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

    public async Task<Verification> VerifyAsync(TokenScheme scheme, string token)
    {
        // 1.
        if (Read(token) is not { } jwt)
            return TokenRefusal.Malformed;
        var refusal = TokenRules.CheckHeader(scheme.Options, jwt.Alg, jwt.Typ, jwt.TryGetHeaderValue<object>("crit", out _));
        if (refusal != TokenRefusal.None)
            return refusal;

        // 2.
        if (await scheme.Keys.GetAsync() is not { } known)
            return Verification.Unavailable;
        var keys = known.Find(jwt.Kid, jwt.Alg);
        if (keys.Length == 0)
            keys = (await scheme.Keys.GetNewerAsync(known))!.Find(jwt.Kid, jwt.Alg);
        if (keys.Length == 0)
            return scheme.Keys.IsOutdated ? Verification.Unavailable : TokenRefusal.UnknownKey;

        // 3.
        var result = await Handler.ValidateTokenAsync(jwt, ParametersFor(scheme.Options, keys));
        if (!result.IsValid)
            return RefusalOf(result.Exception);

        // 4.
        return Accept(scheme.Options, jwt, keys);
    }

    private static JsonWebToken? Read(string token)
    {
        try
        {
            return new JsonWebToken(token);
        }
        catch (Exception exception) when (exception is ArgumentException or SecurityTokenException or JsonException or FormatException)
        {
            return null;
        }
    }

    private static TokenValidationParameters ParametersFor(TokenSchemeOptions scheme, VerificationKey[] keys) => new()
    {
        ValidIssuer = scheme.Issuer,
        ValidAudience = scheme.Audience,
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
        using var payload = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(jwt.EncodedPayload));
        var times = TokenClaims.ReadTimes(payload.RootElement);
        var now = time.GetUtcNow();
        var refusal = TokenRules.CheckTimes(scheme, times, now);
        if (refusal != TokenRefusal.None)
            return refusal;

        var signedWith = Array.Find(keys, key => ReferenceEquals(key.Key, jwt.SigningKey)) ?? keys[0];
        var expires = DateTimeOffset.FromUnixTimeSeconds(times.ExpiresAt!.Value);
        var until = expires < now + scheme.CacheDuration ? expires : now + scheme.CacheDuration;
        var claims = TokenClaims.Read(payload.RootElement);
        return new Verification(
            new TokenContent(signedWith.Thumbprint, times.IssuedAt!.Value, until.ToUnixTimeMilliseconds(), claims), TokenRefusal.None);
    }
}
