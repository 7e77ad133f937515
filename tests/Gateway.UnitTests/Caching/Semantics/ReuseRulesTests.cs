using Gateway.Caching;
using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §4, §5.2.1; RFC 5861.</summary>
public sealed class ReuseRulesTests
{
    [Theory]
    // Stored with a lifetime of 60 s; request directives; age.
    [InlineData("max-age=60", null, 10, true, nameof(CacheReason.Fresh))]
    [InlineData("max-age=60", null, 59, true, nameof(CacheReason.Fresh))]
    [InlineData("max-age=60", null, 60, false, nameof(CacheReason.Stale))]
    [InlineData("max-age=60", "no-cache", 10, false, nameof(CacheReason.RequestNoCache))]
    [InlineData("max-age=60, no-cache", null, 10, false, nameof(CacheReason.ResponseNoCache))]
    [InlineData("max-age=60, no-cache=\"a\"", null, 10, true, nameof(CacheReason.Fresh))]
    [InlineData("max-age=60", "max-age=10", 10, true, nameof(CacheReason.Fresh))]
    [InlineData("max-age=60", "max-age=9", 10, false, nameof(CacheReason.RequestMaxAge))]
    [InlineData("max-age=60", "min-fresh=50", 10, true, nameof(CacheReason.Fresh))]
    [InlineData("max-age=60", "min-fresh=51", 10, false, nameof(CacheReason.RequestMinFresh))]
    [InlineData("max-age=60", "max-stale=10", 70, true, nameof(CacheReason.StaleAllowedByRequest))]
    [InlineData("max-age=60", "max-stale=9", 70, false, nameof(CacheReason.Stale))]
    [InlineData("max-age=60", "max-stale", 7000, true, nameof(CacheReason.StaleAllowedByRequest))]
    // §4.2.4, §5.2.2.2, §5.2.2.8, §5.2.2.10: no staleness whatever the client says.
    [InlineData("max-age=60, must-revalidate", "max-stale", 70, false, nameof(CacheReason.Stale))]
    [InlineData("max-age=60, proxy-revalidate", "max-stale", 70, false, nameof(CacheReason.Stale))]
    [InlineData("s-maxage=60", "max-stale", 70, false, nameof(CacheReason.Stale))]
    // RFC 5861 §3.
    [InlineData("max-age=60, stale-while-revalidate=30", null, 89, true, nameof(CacheReason.StaleWhileRevalidate))]
    [InlineData("max-age=60, stale-while-revalidate=30", null, 90, false, nameof(CacheReason.Stale))]
    [InlineData("max-age=60, stale-while-revalidate=30", "min-fresh=1", 70, false, nameof(CacheReason.Stale))]
    [InlineData("max-age=60, stale-while-revalidate=30", "max-age=80", 70, false, nameof(CacheReason.Stale))]
    [InlineData("max-age=60, stale-while-revalidate=30, must-revalidate", null, 70, false, nameof(CacheReason.Stale))]
    [InlineData("s-maxage=60, stale-while-revalidate=30", null, 70, true, nameof(CacheReason.StaleWhileRevalidate))]
    public void A_stored_response_is_reused_or_not_and_it_is_said_why(string stored, string? request, int age, bool isAllowed, string reason)
    {
        var reuse = ReuseRules.Decide(Fields.Request(request), Fields.Stored(stored, 60, age), default, Fields.Now);
        Assert.Equal((isAllowed, reason, (long)age), (reuse.IsAllowed, reuse.Reason.ToString(), reuse.Age));
    }

    [Theory]
    [InlineData("max-age=60", 75, true)]
    [InlineData("max-age=60", 90, false)]
    [InlineData("max-age=60, stale-while-revalidate=0", 75, false)]
    [InlineData("s-maxage=60", 75, false)]
    [InlineData("max-age=60, proxy-revalidate", 75, false)]
    public void The_policy_s_window_serves_where_the_origin_says_nothing(string stored, int age, bool isAllowed) =>
        Assert.Equal(isAllowed, ReuseRules.Decide(Fields.Request(), Fields.Stored(stored, 60, age), new StaleWindows(20, 0, 0), Fields.Now).IsAllowed);

    [Theory]
    // Disconnected: §4.2.4; the policy allows 100 s. An error: RFC 5861 §4; the policy allows 10 s.
    [InlineData("max-age=60", null, 70, true, false)]
    [InlineData("max-age=60", null, 69, true, true)]
    [InlineData("max-age=60", null, 160, false, false)]
    [InlineData("max-age=60, stale-if-error=500", null, 500, true, true)]
    [InlineData("max-age=60, stale-if-error=5", null, 70, false, false)]
    [InlineData("max-age=60, must-revalidate", null, 61, false, false)]
    [InlineData("max-age=60, must-revalidate, stale-if-error=500", null, 61, false, false)]
    [InlineData("max-age=60, proxy-revalidate", null, 61, false, false)]
    [InlineData("max-age=60, no-cache", null, 61, false, false)]
    // Fresh, and to be validated all the same: §5.2.2.4 asks for success.
    [InlineData("max-age=60, no-cache", null, 5, false, false)]
    [InlineData("max-age=60, no-cache, must-revalidate, stale-if-error=500", null, 5, false, false)]
    [InlineData("s-maxage=60", null, 61, false, false)]
    [InlineData("s-maxage=60, stale-if-error=500", null, 61, true, true)]
    [InlineData("max-age=60", "no-cache", 61, false, false)]
    [InlineData("max-age=60", "max-age=100", 61, false, false)]
    [InlineData("max-age=60", "max-age=100, max-stale=50", 61, true, true)]
    public void A_stale_response_stands_in_for_a_failing_origin(string stored, string? request, int age, bool whenDisconnected, bool onError)
    {
        var windows = new StaleWindows(0, IfError: 10, IfUnreachable: 100);
        var response = Fields.Stored(stored, 60, age);
        Assert.Equal(whenDisconnected, ReuseRules.MayReplaceFailure(Fields.Request(request), response, CacheReason.Disconnected, windows, Fields.Now));
        Assert.Equal(onError, ReuseRules.MayReplaceFailure(Fields.Request(request), response, CacheReason.StaleIfError, windows, Fields.Now));
    }

    [Fact]
    public void A_superseded_response_is_validated_and_never_used_stale()
    {
        var superseded = Fields.Stored("max-age=60, stale-while-revalidate=999999, stale-if-error=999999", 60).Superseded();
        Assert.False(ReuseRules.Decide(Fields.Request(), superseded, default, Fields.Now).IsAllowed);
        Assert.False(ReuseRules.MayReplaceFailure(Fields.Request(), superseded, CacheReason.Disconnected, new StaleWindows(9, 9, 9), Fields.Now));
    }

    [Theory]
    [InlineData(500, true)]
    [InlineData(502, true)]
    [InlineData(503, true)]
    [InlineData(504, true)]
    [InlineData(501, false)]
    [InlineData(404, false)]
    public void Errors_are_those_of_RFC_5861(int status, bool expected) => Assert.Equal(expected, ReuseRules.IsFailure(status));
}
