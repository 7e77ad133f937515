using Gateway.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace Gateway.UnitTests.RateLimiting;

/// <summary>draft-ietf-httpapi-ratelimit-headers-10 §3, §4.</summary>
public sealed class RateLimitFieldsTests
{
    private static readonly RateLimit Minute = new("minute", RateLimitAlgorithm.FixedWindow, 10, []) { Span = TimeSpan.FromMinutes(1) };
    private static readonly RateLimit Running = new("running", RateLimitAlgorithm.Concurrency, 3, []);
    private static readonly RateLimit Total = new("first", RateLimitAlgorithm.Total, 100, []);
    private static readonly RateLimit Hidden = new("hidden", RateLimitAlgorithm.FixedWindow, 1, []) { IsShadow = true };

    [Fact]
    public void Each_limit_is_an_item_with_what_holds_and_what_is_left()
    {
        var fields = Write(legacy: false, State(Minute, used: 4, reset: 12.2), State(Running, used: 1), State(Total, used: 7, reset: 3600));

        Assert.Equal("\"minute\";q=10;w=60, \"running\";q=3;qu=\"concurrent-requests\", \"first\";q=100", fields["RateLimit-Policy"]);
        Assert.Equal("\"minute\";r=6;t=13, \"running\";r=2, \"first\";r=93;t=3600", fields["RateLimit"]);
        Assert.False(fields.ContainsKey("X-RateLimit-Limit"));
    }

    [Fact]
    public void Old_fields_tell_of_the_limit_that_leaves_least()
    {
        var fields = Write(legacy: true, State(Minute, used: 4, reset: 12.2), State(Total, used: 99, reset: 3600));

        Assert.Equal("100", fields["X-RateLimit-Limit"]);
        Assert.Equal("1", fields["X-RateLimit-Remaining"]);
        Assert.Equal("3600", fields["X-RateLimit-Reset"]);
    }

    [Fact]
    public void A_tier_is_told_its_own_limit()
    {
        var policy = new RateLimitPolicy("p", [Minute], true);
        var (usual, tier) = (new HeaderDictionary(), new HeaderDictionary());

        RateLimitFields.Write(usual, policy, [State(Minute, used: 1)]);
        RateLimitFields.Write(tier, policy, [State(Minute, used: 1) with { Permits = 1000 }]);

        Assert.Equal("\"minute\";q=10;w=60", usual["RateLimit-Policy"]);
        Assert.Equal("\"minute\";q=1000;w=60", tier["RateLimit-Policy"]);
        Assert.Equal("\"minute\";r=999;t=0", tier["RateLimit"]);
    }

    [Fact]
    public void Shadows_are_not_told()
    {
        Assert.Equal("\"minute\";r=10;t=0", Write(legacy: true, State(Hidden, used: 1), State(Minute, used: 0))["RateLimit"]);
        Assert.Empty(Write(legacy: true, State(Hidden, used: 1)));
    }

    [Theory]
    [InlineData(0, "1")]
    [InlineData(0.001, "1")]
    [InlineData(1, "1")]
    [InlineData(1.001, "2")]
    [InlineData(59.2, "60")]
    public void Retry_After_is_never_earlier_than_the_truth(double seconds, string field)
    {
        var fields = new HeaderDictionary();
        RateLimitFields.WriteRetryAfter(fields, TimeSpan.FromSeconds(seconds));
        Assert.Equal(field, fields["Retry-After"]);
    }

    private static HeaderDictionary Write(bool legacy, params LimitState[] states)
    {
        var fields = new HeaderDictionary();
        RateLimitFields.Write(fields, new RateLimitPolicy("p", [], true) { HasLegacyFields = legacy }, states);
        return fields;
    }

    private static LimitState State(RateLimit limit, long used, double reset = 0) =>
        new(limit, limit.PermitLimit, used, TimeSpan.FromSeconds(reset), TimeSpan.Zero);
}
