using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Tokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.UnitTests.Tokens;

public sealed class KeySetTests
{
    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":[]}""")]
    [InlineData("""{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0","kid":"a"}]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"a"}]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}""")]
    [InlineData("""{"keys":[null]}""")]
    [InlineData("""{"keys":7}""")]
    public void What_holds_no_usable_key_is_no_key_set(string json) => Assert.Null(KeySet.Parse(json));

    [Fact]
    public void Keys_are_found_by_id_and_only_for_algorithms_of_their_kind()
    {
        using var rsa = RSA.Create(2048);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var keys = Parse(Describe(rsa, "r"), Describe(ec, "e"), Describe(rsa, "only", alg: "PS256"), Describe(rsa, "other", use: "enc"));

        Assert.Equal(3, keys.Count);
        Assert.Single(keys.Find("r", "RS256"));
        Assert.Single(keys.Find("r", "PS512"));
        Assert.Empty(keys.Find("r", "ES256"));
        Assert.Single(keys.Find("e", "ES256"));
        Assert.Empty(keys.Find("e", "RS256"));
        Assert.Empty(keys.Find("only", "RS256"));
        Assert.Single(keys.Find("only", "PS256"));
        Assert.Empty(keys.Find("other", "RS256"));
        Assert.Empty(keys.Find("nobody", "RS256"));
        Assert.Equal(2, keys.Find(null, "PS256").Length);
    }

    [Theory]
    [InlineData("""{"kty":"EC","kid":"bad","crv":"P-256","x":"AQAB","y":"AQAB"}""")]
    [InlineData("""{"kty":"EC","kid":"bad","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}""")]
    [InlineData("""{"kty":"EC","kid":"bad","crv":"secp256k1","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"}""")]
    [InlineData("""{"kty":"EC","kid":"bad","crv":"P-256"}""")]
    [InlineData("""{"kty":"RSA","kid":"bad","n":"","e":""}""")]
    [InlineData("""{"kty":"RSA","kid":"bad","n":"%%%","e":"AQAB"}""")]
    [InlineData("""{"kty":"RSA","kid":"bad","n":"MODULUS","e":""}""")]
    [InlineData("""{"kty":"RSA","kid":"bad","n":"MODULUS","e":"AA"}""")]
    [InlineData("""{"kty":"RSA","kid":"bad","n":"MODULUS","e":"AQ"}""")]
    [InlineData("""{"kty":"OKP","kid":"bad","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}""")]
    [InlineData("""{"kty":"unheard of","kid":"bad"}""")]
    [InlineData("""{"kid":"bad"}""")]
    [InlineData("""{"kty":"RSA","kid":"bad","x5c":["no certificate"]}""")]
    [InlineData("{}")]
    public void A_key_that_is_not_understood_is_passed_over_and_the_others_stay(string bad)
    {
        using var rsa = RSA.Create(2048);
        var good = JsonSerializer.Serialize(Describe(rsa, "good"));
        bad = bad.Replace("MODULUS", Base64UrlEncoder.Encode(rsa.ExportParameters(false).Modulus), StringComparison.Ordinal);

        var keys = KeySet.Parse($$"""{"keys":[{{bad}},{{good}}]}""")!;

        Assert.Single(keys.Find("good", "RS256"));
        Assert.Empty(keys.Find("bad", "RS256"));
        Assert.Empty(keys.Find("bad", "ES256"));
    }

    [Theory]
    [InlineData("""{"keys":["\ud800"]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"\ud800"}]}""")]
    [InlineData("""{"keys":[{"kty":7,"kid":{},"n":[],"e":null}]}""")]
    public void What_is_no_text_is_no_key_set(string json) => Assert.Null(KeySet.Parse(json));

    [Fact]
    public void A_key_is_known_by_what_it_is_and_not_by_its_name()
    {
        using var one = RSA.Create(2048);
        using var two = RSA.Create(2048);
        var thumbprint = Parse(Describe(one, "same")).Find("same", "RS256")[0].Thumbprint;

        Assert.True(Parse(Describe(one, "renamed")).Contains(thumbprint));
        Assert.False(Parse(Describe(two, "same")).Contains(thumbprint));
    }

    private static KeySet Parse(params object[] keys) => KeySet.Parse(JsonSerializer.Serialize(new { keys }))!;

    private static object Describe(RSA key, string kid, string? alg = null, string? use = null)
    {
        var parameters = key.ExportParameters(false);
        return new { kty = "RSA", kid, alg, use, n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) };
    }

    private static object Describe(ECDsa key, string kid)
    {
        var point = key.ExportParameters(false).Q;
        return new { kty = "EC", kid, crv = "P-256", x = Base64UrlEncoder.Encode(point.X), y = Base64UrlEncoder.Encode(point.Y) };
    }
}
