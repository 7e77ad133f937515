using System.Security.Cryptography;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>An issuer whose tokens can be wrong in every way, and whose key set can change and fail.</summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    public const string Issuer = "https://issuer.example";
    public const string Audience = "shop";

    private readonly TestOrigin _keys;
    private readonly JsonWebTokenHandler _handler = new() { SetDefaultTimesOnTokenCreation = false };
    private List<RSA> _published = [RSA.Create(2048)];

    private TestIssuer(TestOrigin keys)
    {
        _keys = keys;
        _keys.Map("/jwks", context => IsDown
            ? Fail(context)
            : context.Response.WriteAsync(Keys));
    }

    public string JwksUri => _keys.Address + "jwks";

    /// <summary>The key set.</summary>
    public string Keys => JsonSerializer.Serialize(new { keys = _published.Select(Describe) });

    /// <summary>How often the keys were asked for.</summary>
    public int Reads => _keys.Count("/jwks");

    public bool IsDown { get; set; }

    /// <summary>The key that signs.</summary>
    public RSA Key => _published[0];

    public static async Task<TestIssuer> StartAsync() => new(await TestOrigin.StartAsync());

    /// <summary>Replaces all keys by a new one.</summary>
    public void Rotate() => _published = [RSA.Create(2048)];

    /// <param name="change">Changes to the claims; null removes one.</param>
    public string Issue(string subject = "alice", string type = "at+jwt", RSA? key = null, string algorithm = "RS256", params (string Name, object? Value)[] change)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = subject,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["iat"] = now,
            ["exp"] = now + 600,
            ["scope"] = "read write",
        };
        foreach (var (name, value) in change)
        {
            if (value is null)
                claims.Remove(name);
            else
                claims[name] = value;
        }

        var signer = key ?? Key;
        return _handler.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = type,
            Claims = claims,
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(signer) { KeyId = Id(Key) }, algorithm),
        });
    }

    /// <summary>Joins a header and a payload to a token, with a signature of the test's own.</summary>
    public static string Forge(object header, object payload, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(JsonSerializer.SerializeToUtf8Bytes(header))}.{Encode(JsonSerializer.SerializeToUtf8Bytes(payload))}";
        return $"{signed}.{Encode(sign(System.Text.Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Id(RSA key) => Encode(new RsaSecurityKey(key.ExportParameters(false)).ComputeJwkThumbprint());

    public ValueTask DisposeAsync() => _keys.DisposeAsync();

    private static object Describe(RSA key)
    {
        var parameters = key.ExportParameters(false);
        return new { kty = "RSA", use = "sig", alg = "RS256", kid = Id(key), n = Encode(parameters.Modulus!), e = Encode(parameters.Exponent!) };
    }

    private static Task Fail(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        return Task.CompletedTask;
    }

    private static string Encode(byte[] bytes) => Base64UrlEncoder.Encode(bytes);
}
