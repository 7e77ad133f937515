using Gateway.Tokens;

namespace Gateway.UnitTests.Tokens;

public sealed class TokenRulesTests
{
    private const long Now = 1_800_000_000;

    [Theory]
    [InlineData("a.b.c", TokenRefusal.None)]
    [InlineData("a.b.", TokenRefusal.None)]
    [InlineData("", TokenRefusal.Malformed)]
    [InlineData("a.b", TokenRefusal.Malformed)]
    [InlineData("a.b.c.d.e", TokenRefusal.Malformed)]
    [InlineData("a.b c.d", TokenRefusal.Malformed)]
    [InlineData("a.b=.c", TokenRefusal.Malformed)]
    [InlineData("a.b.c,Bearer a.b.c", TokenRefusal.Malformed)]
    internal void Only_three_parts_of_base64url_can_be_a_token(string token, TokenRefusal expected) =>
        Assert.Equal(expected, TokenRules.CheckSyntax(TokenKind.Jwt, token));

    [Fact]
    public void A_token_that_is_too_long_is_not_read()
    {
        Assert.Equal(TokenRefusal.None, TokenRules.CheckSyntax(TokenKind.Jwt, "a.b." + new string('c', TokenRules.MaxLength - 4)));
        Assert.Equal(TokenRefusal.TooLong, TokenRules.CheckSyntax(TokenKind.Jwt, "a.b." + new string('c', TokenRules.MaxLength - 3)));
    }

    [Theory]
    [InlineData("RS256", "at+jwt", false, TokenRefusal.None)]
    [InlineData("ES512", "application/at+jwt", false, TokenRefusal.None)]
    [InlineData("PS384", "AT+JWT", false, TokenRefusal.None)]
    [InlineData("RS256", "JWT", false, TokenRefusal.Type)]
    [InlineData("RS256", "", false, TokenRefusal.Type)]
    [InlineData("RS256", null, false, TokenRefusal.Type)]
    [InlineData("RS256", "at+jwt", true, TokenRefusal.Algorithm)]
    [InlineData("rs256", "at+jwt", false, TokenRefusal.Algorithm)]
    [InlineData("HS256", "at+jwt", false, TokenRefusal.Algorithm)]
    [InlineData("none", "at+jwt", false, TokenRefusal.Algorithm)]
    [InlineData("", "at+jwt", false, TokenRefusal.Algorithm)]
    [InlineData(null, "at+jwt", false, TokenRefusal.Algorithm)]
    internal void Without_configuration_asymmetric_algorithms_and_access_tokens_are_accepted(string? algorithm, string? type, bool hasCritical, TokenRefusal expected) =>
        Assert.Equal(expected, TokenRules.CheckHeader(new TokenSchemeOptions(), algorithm, type, hasCritical));

    [Fact]
    public void Configured_algorithms_and_types_take_the_place_of_the_defaults()
    {
        var scheme = new TokenSchemeOptions { Algorithms = { "ES256" }, Types = { "JWT" } };

        Assert.Equal(TokenRefusal.None, TokenRules.CheckHeader(scheme, "ES256", "JWT", hasCritical: false));
        Assert.Equal(TokenRefusal.Algorithm, TokenRules.CheckHeader(scheme, "RS256", "JWT", hasCritical: false));
        Assert.Equal(TokenRefusal.Type, TokenRules.CheckHeader(scheme, "ES256", "at+jwt", hasCritical: false));
    }

    // Seconds from now; the scheme allows for 30 s between the clocks and one day of life.
    [Theory]
    [InlineData(-10, null, 600, TokenRefusal.None)]
    [InlineData(30, null, 600, TokenRefusal.None)]
    [InlineData(31, null, 600, TokenRefusal.NotYetValid)]
    [InlineData(-10, 30, 600, TokenRefusal.None)]
    [InlineData(-10, 31, 600, TokenRefusal.NotYetValid)]
    [InlineData(-600, null, -29, TokenRefusal.None)]
    [InlineData(-600, null, -30, TokenRefusal.Expired)]
    [InlineData(0, null, 86_400, TokenRefusal.None)]
    [InlineData(0, null, 86_401, TokenRefusal.LongLived)]
    [InlineData(null, null, 600, TokenRefusal.Undated)]
    [InlineData(0, null, null, TokenRefusal.Undated)]
    internal void A_token_holds_between_its_dates(int? issued, int? notBefore, int? expires, TokenRefusal expected) =>
        Assert.Equal(expected, TokenRules.CheckTimes(
            new TokenSchemeOptions(), new TokenTimes(Now + issued, Now + notBefore, Now + expires), DateTimeOffset.FromUnixTimeSeconds(Now)));

    [Fact]
    public void Every_refusal_has_a_text_that_fits_the_field()
    {
        foreach (var refusal in Enum.GetValues<TokenRefusal>())
            Assert.All(refusal.Describe(TokenKind.ApiKey), c => Assert.True(c is >= ' ' and <= '~' and not '"' and not '\\', $"{refusal}: {c}"));
    }
}
