using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace SampleBackend.Identity;

/// <summary>Knows the demo accounts, issues access tokens as JWTs (RFC 9068) and reads them back for introspection.</summary>
internal sealed class TokenIssuer(IOptions<IdentityOptions> options, SigningKeys keys, TimeProvider time)
{
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private readonly IdentityOptions _options = options.Value;

    /// <summary>The account of this name if the password is its own, compared in constant time.</summary>
    public AccountOptions? Authenticate(string name, string password)
    {
        var known = _options.Accounts.TryGetValue(name, out var account);
        var expected = SHA256.HashData(Encoding.UTF8.GetBytes(account?.Password ?? ""));
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(password));
        return CryptographicOperations.FixedTimeEquals(expected, given) && known ? account : null;
    }

    public TokenAnswer Issue(string subject, AccountOptions account, string scope, TimeSpan lifetime)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var token = _handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "at+jwt",
            Issuer = _options.Issuer,
            Audience = _options.Audience,
            IssuedAt = now,
            Expires = now + lifetime,
            SigningCredentials = new SigningCredentials(keys.All[0], SecurityAlgorithms.RsaSha256),
            Claims = new Dictionary<string, object>
            {
                ["sub"] = subject,
                ["client_id"] = subject,
                ["jti"] = Guid.NewGuid().ToString("N"),
                ["scope"] = scope,
                ["plan"] = account.Plan,
            },
        });
        return new TokenAnswer(token, "Bearer", (long)lifetime.TotalSeconds, scope);
    }

    /// <summary>What is known about a token; inactive if it is not one of ours, or expired (RFC 7662 §2.2).</summary>
    public async Task<Introspection> IntrospectAsync(string token)
    {
        var result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = _options.Issuer,
            ValidAudience = _options.Audience,
            IssuerSigningKeys = keys.All,
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
            LifetimeValidator = (_, expires, _, _) => expires > time.GetUtcNow().UtcDateTime,
        });
        if (!result.IsValid || result.SecurityToken is not JsonWebToken valid) return new Introspection(Active: false);

        return new Introspection(
            Active: true, Text(valid, "scope"), Text(valid, "client_id"), "Bearer",
            EpochTime.GetIntDate(valid.ValidTo), EpochTime.GetIntDate(valid.IssuedAt),
            valid.Subject, _options.Audience, valid.Issuer, valid.Id, Text(valid, "plan"));
    }

    private static string? Text(JsonWebToken token, string claim) => token.TryGetPayloadValue<string>(claim, out var value) ? value : null;
}
