using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Benchmarks.Servers;

/// <summary>One token (RS256, RFC 9068) for all requests of a run, and the keys that it can be checked by.</summary>
internal static class BenchToken
{
    public const string Issuer = "https://issuer.example";
    public const string Audience = "bench";

    // Longer than a run, shorter than what the gateway accepts.
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(20);
    private static readonly RsaSecurityKey Key = NewKey();

    public static string Text { get; } = Create();

    /// <summary>Writes the public key as a JWK Set.</summary>
    /// <returns>The file's path.</returns>
    public static string WriteKeys(string folder)
    {
        var path = Path.Combine(folder, "jwks.json");
        var parameters = Key.Rsa.ExportParameters(includePrivateParameters: false);
        var key = new { kty = "RSA", use = "sig", alg = "RS256", kid = Key.KeyId, n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) };
        File.WriteAllText(path, JsonSerializer.Serialize(new { keys = new[] { key } }));
        return path;
    }

    private static RsaSecurityKey NewKey()
    {
        var key = new RsaSecurityKey(RSA.Create(2048));
        key.KeyId = Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());
        return key;
    }

    private static string Create()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "at+jwt",
            Issuer = Issuer,
            Audience = Audience,
            IssuedAt = now,
            Expires = now + Lifetime,
            SigningCredentials = new SigningCredentials(Key, SecurityAlgorithms.RsaSha256),
            Claims = new Dictionary<string, object>
            {
                ["sub"] = "alice",
                ["client_id"] = "bench",
                ["jti"] = Guid.NewGuid().ToString("N"),
                ["scope"] = "read write",
                ["plan"] = "gold",
            },
        });
    }
}
