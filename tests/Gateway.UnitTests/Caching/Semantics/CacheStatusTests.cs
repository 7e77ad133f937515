using Gateway.Caching;
using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9211.</summary>
public sealed class CacheStatusTests
{
    [Fact]
    public void A_hit_says_how_long_it_is_fresh_and_why_it_is_one()
    {
        Assert.Equal("Gateway; hit; ttl=42", CacheStatus.Hit(42, CacheReason.Fresh));
        Assert.Equal("Gateway; hit; ttl=-5; detail=stale-while-revalidate", CacheStatus.Hit(-5, CacheReason.StaleWhileRevalidate));
    }

    [Theory]
    [InlineData(nameof(CacheReason.NotStored), 200, true, false, nameof(CacheReason.None), "Gateway; fwd=uri-miss; fwd-status=200; stored")]
    [InlineData(nameof(CacheReason.VariantNotStored), 200, true, true, nameof(CacheReason.None), "Gateway; fwd=vary-miss; fwd-status=200; collapsed; stored")]
    [InlineData(nameof(CacheReason.Stale), 304, true, false, nameof(CacheReason.Validated), "Gateway; fwd=stale; fwd-status=304; stored; detail=validated")]
    [InlineData(nameof(CacheReason.Stale), null, false, false, nameof(CacheReason.Disconnected), "Gateway; fwd=stale; detail=disconnected")]
    [InlineData(nameof(CacheReason.RequestNoCache), 200, false, false, nameof(CacheReason.None), "Gateway; fwd=request; fwd-status=200; detail=request-no-cache")]
    [InlineData(nameof(CacheReason.Method), 200, false, false, nameof(CacheReason.None), "Gateway; fwd=method; fwd-status=200")]
    [InlineData(nameof(CacheReason.RequestRange), 206, false, false, nameof(CacheReason.None), "Gateway; fwd=bypass; fwd-status=206; detail=request-range")]
    public void A_forwarded_request_says_why_and_what_came_of_it(
        string reason, int? status, bool isStored, bool isCollapsed, string detail, string expected) => Assert.Equal(
            expected, CacheStatus.Forwarded(Enum.Parse<CacheReason>(reason), status, isStored, isCollapsed, Enum.Parse<CacheReason>(detail)));

    [Fact]
    public void Every_reason_has_a_name_of_its_own_that_is_a_token()
    {
        var names = Enum.GetValues<CacheReason>().Select(CacheStatus.NameOf).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.All(names, name => Assert.Matches("^[a-z][a-z-]*$", name));
    }
}
