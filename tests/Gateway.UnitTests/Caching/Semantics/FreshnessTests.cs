using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §4.2.</summary>
public sealed class FreshnessTests
{
    [Theory]
    // §4.2.1: s-maxage, max-age, Expires - Date, in this order.
    [InlineData("s-maxage=10, max-age=20", 30, 10L)]
    [InlineData("max-age=20", 30, 20L)]
    [InlineData("", 30, 30L)]
    [InlineData("", -30, 0L)]
    [InlineData("s-maxage=x, max-age=20", null, 0L)]
    [InlineData("public", null, null)]
    public void The_lifetime_is_the_first_that_is_given(string cacheControl, int? expiresIn, long? expected) =>
        Assert.Equal(expected, Freshness.Lifetime(Fields.Response(cacheControl: cacheControl) with
        {
            HasExpires = expiresIn is not null,
            Expires = expiresIn is { } seconds ? Fields.Now.AddSeconds(seconds) : null,
        }));

    [Fact]
    public void An_invalid_expires_is_in_the_past_whatever_a_heuristic_says() =>
        Assert.Equal(0, Freshness.Lifetime(Fields.Response() with { HasExpires = true, LastModified = Fields.Now.AddDays(-10) }));

    [Theory]
    // Ttl replaces what the origin says; DefaultTtl stands where it says nothing, in place of the heuristic (100 s here).
    [InlineData(null, null, 200, "max-age=20", 0, 20L)]
    [InlineData(30L, null, 200, "max-age=20", 0, 30L)]
    [InlineData(30L, null, 200, "s-maxage=20", 0, 30L)]
    [InlineData(30L, null, 200, "", 0, 30L)]
    [InlineData(0L, null, 200, "max-age=20", 0, 0L)]
    [InlineData(null, 30L, 200, "max-age=20", 0, 20L)]
    [InlineData(null, 30L, 200, "max-age=0", 0, 0L)]
    [InlineData(null, 30L, 200, "", 0, 30L)]
    [InlineData(null, null, 200, "", 0, 100L)]
    [InlineData(30L, null, 404, "", 0, 30L)]
    [InlineData(30L, null, 503, "max-age=20", 0, 20L)]
    // A policy's time runs from when the response came; the origin's from when it was made.
    [InlineData(30L, null, 200, "", 500, 530L)]
    [InlineData(null, 30L, 200, "", 500, 530L)]
    [InlineData(null, null, 200, "max-age=20", 500, 20L)]
    public void A_policy_may_have_the_word(long? ttl, long? defaultTtl, int status, string cacheControl, long initialAge, long? expected) =>
        Assert.Equal(expected, Freshness.Lifetime(
            Fields.Response(status, cacheControl) with { LastModified = Fields.Now.AddSeconds(-1000) }, new PolicyLifetime(ttl, defaultTtl), initialAge));

    [Theory]
    // §4.2.2, RFC 9110 §15.1: a tenth of the time since the last change, at most a day.
    [InlineData(200, "", 1000, 100L)]
    [InlineData(200, "", 100 * 86400, 86400L)]
    [InlineData(200, "", -1000, 0L)]
    [InlineData(203, "", 1000, 100L)]
    [InlineData(204, "", 1000, 100L)]
    [InlineData(300, "", 1000, 100L)]
    [InlineData(301, "", 1000, 100L)]
    [InlineData(308, "", 1000, 100L)]
    [InlineData(404, "", 1000, 100L)]
    [InlineData(405, "", 1000, 100L)]
    [InlineData(410, "", 1000, 100L)]
    [InlineData(414, "", 1000, 100L)]
    [InlineData(501, "", 1000, 100L)]
    [InlineData(201, "", 1000, null)]
    [InlineData(302, "", 1000, null)]
    [InlineData(403, "", 1000, null)]
    [InlineData(503, "", 1000, null)]
    [InlineData(599, "", 1000, null)]
    [InlineData(599, "public", 1000, 100L)]
    public void Without_an_explicit_lifetime_a_heuristic_serves(int status, string cacheControl, int modifiedBefore, long? expected) =>
        Assert.Equal(expected, Freshness.Lifetime(Fields.Response(status, cacheControl) with { LastModified = Fields.Now.AddSeconds(-modifiedBefore) }));

    [Theory]
    // §4.2.3: max(apparent_age, age_value + response_delay).
    [InlineData(0, 0, 0, 0L)]
    [InlineData(30, 0, 0, 30L)]
    [InlineData(0, 0, 10, 10L)]
    [InlineData(30, 2, 10, 32L)]
    [InlineData(30, 2, 100, 100L)]
    [InlineData(0, 0, -100, 0L)]
    public void The_initial_age_is_the_larger_of_what_is_said_and_what_is_seen(int age, int delay, int dateBefore, long expected) =>
        Assert.Equal(expected, Freshness.CorrectedInitialAge(
            Fields.Response() with { Age = age, Date = Fields.Now.AddSeconds(-dateBefore) }, Fields.Now.AddSeconds(-delay), Fields.Now));

    [Theory]
    [InlineData(5, 10, 15L)]
    [InlineData(5, -10, 5L)]
    public void Time_in_the_cache_is_added_and_never_negative(long initial, int resident, long expected) =>
        Assert.Equal(expected, Freshness.CurrentAge(initial, Fields.Now.AddSeconds(-resident), Fields.Now));

    [Theory]
    [InlineData("max-age=0", false, true)]
    [InlineData("s-maxage=1", false, true)]
    [InlineData("public", true, true)]
    [InlineData("public", false, false)]
    public void A_lifetime_is_explicit_when_the_origin_names_one(string cacheControl, bool hasExpires, bool expected) =>
        Assert.Equal(expected, Freshness.IsExplicit(Fields.Response(cacheControl: cacheControl) with { HasExpires = hasExpires }));
}
