using System.Text;
using Gateway.Tokens;
using Gateway.Tokens.Introspection;

namespace Gateway.UnitTests.Tokens.Introspection;

public sealed class IntrospectionAnswerTests
{
    private const long Now = 1_800_000_000;

    [Theory]
    [InlineData(600, 300, 600)]
    [InlineData(200, 200, 200)]
    [InlineData(10_000, 300, 900)]
    public void A_result_is_usable_until_it_is_used_up_and_kept_for_outages_but_never_past_the_tokens_end(int expires, int usable, int kept)
    {
        var content = Read($$"""{"active":true,"iat":{{Now}},"exp":{{Now + expires}},"sub":"alice","roles":["a","b"],"x":[{}]}""", new TokenSchemeOptions()).Content!;

        Assert.Equal((Now + usable) * 1000, content.UsableUntil);
        Assert.Equal((Now + kept) * 1000, content.KeptUntil);
        Assert.Equal(["iat", "exp", "sub", "roles", "roles"], content.Claims.Select(claim => claim.Type));
    }

    [Theory]
    [InlineData("""{"active":false,"sub":"alice"}""", TokenRefusal.Inactive)]
    [InlineData("""{"active":true,"iss":"https://i","aud":"a"}""", TokenRefusal.Undated)]
    [InlineData("""{"active":true,"iss":"https://I","aud":"a"}""", TokenRefusal.Issuer)]
    [InlineData("""{"active":true,"aud":"a"}""", TokenRefusal.Issuer)]
    [InlineData("""{"active":true,"iss":["https://i"],"aud":["b",7]}""", TokenRefusal.Audience)]
    [InlineData("""{"active":true,"iss":"https://i","aud":{"a":"a"}}""", TokenRefusal.Audience)]
    internal void What_does_not_fit_is_refused(string answer, TokenRefusal refusal) =>
        Assert.Equal(new Verification(null, refusal), Read(answer, new TokenSchemeOptions { Issuer = "https://i", Audience = "a" }));

    [Theory]
    [InlineData("""{"active":1}""")]
    [InlineData("""{"Active":true}""")]
    [InlineData("""{"active":true""")]
    [InlineData("""{"error":"invalid_client"}""")]
    public void What_is_no_answer_says_nothing(string answer) => Assert.Equal(Verification.Unavailable, Read(answer, new TokenSchemeOptions()));

    private static Verification Read(string answer, TokenSchemeOptions scheme) =>
        IntrospectionAnswer.Read(Encoding.UTF8.GetBytes(answer), scheme, DateTimeOffset.FromUnixTimeSeconds(Now));
}
