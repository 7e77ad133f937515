using Gateway.Tokens;
using Gateway.Tokens.Revocations;

namespace Gateway.UnitTests.Tokens;

public sealed class VerifiedTokenTests
{
    private static readonly TokenScheme Scheme = new("shop", TokenKind.Introspection, new TokenSchemeOptions(), "", null, new TokenCounts("shop"));

    [Theory]
    [InlineData(5_000, 5_000)]
    [InlineData(60_000, 9_000)]
    public void A_result_that_goes_on_is_used_no_longer_than_it_is_kept_and_is_revoked_as_before(long until, long usable)
    {
        var token = new VerifiedToken(Scheme, "opaque", new TokenContent("", IssuedAt: 1, UsableUntil: 2_000, KeptUntil: 9_000, [new("sub", "alice"), new("jti", "one")]));

        var renewed = token.Renew(DateTimeOffset.FromUnixTimeMilliseconds(until));

        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(usable), renewed.UsableUntil);
        Assert.Equal(token.KeptUntil, renewed.KeptUntil);
        Assert.Equal(
            [RevocationId.OfScheme("shop"), RevocationId.OfToken("shop", "opaque"), RevocationId.OfJti("shop", "one"), RevocationId.OfSubject("shop", "alice")],
            renewed.RevocationIds);
        Assert.Equal(1, renewed.IssuedAt);
    }
}
