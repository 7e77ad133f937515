using Gateway.Tokens;
using Gateway.Tokens.Revocations;

namespace Gateway.UnitTests.Tokens;

public sealed class RevocationTests
{
    [Fact]
    public void A_revocation_reads_back_from_its_text()
    {
        var revocation = new Revocation(RevocationId.OfSubject("shop", "alice:bob"), 17, 42);

        Assert.True(Revocation.TryParse(revocation.ToString(), out var read));
        Assert.Equal(revocation, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc:1:2")]
    [InlineData("0123456789abcdef0123456789abcdef:1")]
    [InlineData("0123456789abcdef0123456789abcdef:1:2:3")]
    [InlineData("0123456789abcdef0123456789abcdef:-1:2")]
    [InlineData("0123456789abcdef0123456789abcdef:1:soon")]
    public void What_is_no_revocation_is_passed_over(string text) => Assert.False(Revocation.TryParse(text, out _));

    [Fact]
    public void No_two_things_are_filed_under_one_id()
    {
        string[] ids =
        [
            RevocationId.OfScheme("shop"), RevocationId.OfSubject("shop", ""), RevocationId.OfSubject("shop", "x"), RevocationId.OfJti("shop", "x"),
            RevocationId.OfToken("shop", "x"), RevocationId.OfSubject("sho", "px"), RevocationId.OfSubject("bank", "x"), RevocationId.OfToken("shop", "a.b.x"),
        ];

        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.Equal(RevocationId.OfSubject("Shop", "x"), RevocationId.OfSubject("shop", "x"));
    }

    [Theory]
    [InlineData("Jwt", "ey.b.x", "ey.b")]
    [InlineData("Jwt", "a.b.x", "a.b")]
    [InlineData("Introspection", "eyJ.b.x", "eyJ.b")]
    [InlineData("Introspection", "ewo.b.x", "ewo.b")]
    [InlineData("Introspection", "v4.public.x", "v4.public.x")]
    [InlineData("Introspection", "eyJ.b.x~", "eyJ.b.x~")]
    [InlineData("Introspection", "opaque", "opaque")]
    public void A_signature_is_no_part_of_what_a_signed_token_is_revoked_by(string kind, string token, string part) =>
        Assert.Equal(part, TokenRules.RevocablePart(Enum.Parse<TokenKind>(kind), token));

    [Fact]
    public void The_key_of_a_result_depends_on_the_signature() =>
        Assert.NotEqual(TokenHash.OfToken("f", "a.b.x"), TokenHash.OfToken("f", "a.b.y"));
}
