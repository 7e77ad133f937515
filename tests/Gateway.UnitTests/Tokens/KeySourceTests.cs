using Gateway.Tokens;

namespace Gateway.UnitTests.Tokens;

public sealed class KeySourceTests
{
    private static readonly Uri Safe = new("https://id.example/.well-known/openid-configuration");

    [Fact]
    public void The_keys_are_where_the_issuer_says() =>
        Assert.Equal(new Uri("https://keys.example/jwks"), KeySource.FindKeys("""{"issuer":"https://id.example","jwks_uri":"https://keys.example/jwks"}""", Safe, "https://id.example"));

    [Theory]
    [InlineData("""{"issuer":"https://evil.example","jwks_uri":"https://keys.example/jwks"}""")]
    [InlineData("""{"issuer":"https://id.example/","jwks_uri":"https://keys.example/jwks"}""")]
    [InlineData("""{"jwks_uri":"https://keys.example/jwks"}""")]
    [InlineData("""{"issuer":"https://evil.example","issuer":"https://id.example","jwks_uri":"https://keys.example/jwks"}""")]
    [InlineData("""{"issuer":"https://id.example"}""")]
    [InlineData("""{"issuer":"https://id.example","jwks_uri":"http://keys.example/jwks"}""")]
    [InlineData("""{"issuer":"https://id.example","jwks_uri":"file:///etc/passwd"}""")]
    [InlineData("""{"issuer":"https://id.example","jwks_uri":"/jwks"}""")]
    [InlineData("""{"issuer":"https://id.example","jwks_uri":"https://keys.example/\ud800"}""")]
    [InlineData("""{"issuer":"https://id.example","jwks_uri":"https://keys.example/jwks"}{}""")]
    [InlineData("[]")]
    [InlineData("<html>")]
    public void A_description_of_somebody_else_or_without_safe_keys_is_none(string description) =>
        Assert.Throws<FormatException>(() => KeySource.FindKeys(description, Safe, "https://id.example"));

    [Fact]
    public void Each_way_to_name_keys_is_a_source_of_its_own()
    {
        string[] ids =
        [
            KeySource.Of(new TokenSchemeOptions { JwksUri = "https://id.example" }).Id,
            KeySource.Of(new TokenSchemeOptions { Authority = "https://id.example" }).Id,
            KeySource.Of(new TokenSchemeOptions { Authority = "https://id.example", Issuer = "https://other.example" }).Id,
            KeySource.Of(new TokenSchemeOptions { JwksFile = "/keys/https://id.example" }).Id,
        ];

        Assert.Equal(ids.Length, ids.Distinct().Count());
    }
}
