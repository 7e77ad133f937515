using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9110 §13, RFC 9111 §4.3.2.</summary>
public sealed class PreconditionsTests
{
    private static readonly DateTimeOffset Modified = Fields.Now.AddHours(-1);

    [Theory]
    [InlineData("\"a\"", "\"a\"", true)]
    [InlineData("\"b\"", "\"a\"", false)]
    [InlineData("\"b\", \"a\"", "\"a\"", true)]
    [InlineData("\"b\",,\"a\" , \"c\"", "\"a\"", true)]
    // Weak comparison: §8.8.3.2.
    [InlineData("W/\"a\"", "\"a\"", true)]
    [InlineData("\"a\"", "W/\"a\"", true)]
    [InlineData("W/\"a\"", "W/\"a\"", true)]
    [InlineData("w/\"a\"", "W/\"a\"", false)]
    [InlineData("*", "\"a\"", true)]
    [InlineData(" * ", null, true)]
    [InlineData("\"a\"", null, false)]
    [InlineData("a", "\"a\"", false)]
    [InlineData("\"a", "\"a\"", false)]
    [InlineData("W/", "\"a\"", false)]
    [InlineData("\"a, b\"", "\"a, b\"", true)]
    [InlineData("\"a\"", "\"A\"", false)]
    public void If_none_match_decides(string field, string? etag, bool expected) =>
        Assert.Equal(expected, Preconditions.IsNotModified(Fields.Request(ifNoneMatch: field), etag, Modified, Fields.Now));

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(-1, false)]
    public void If_modified_since_decides_without_it(int seconds, bool expected) =>
        Assert.Equal(expected, Preconditions.IsNotModified(
            Fields.Request(ifModifiedSince: HttpDate.Format(Modified.AddSeconds(seconds))), null, Modified, Fields.Now));

    [Theory]
    [InlineData("yesterday")]
    [InlineData("Sun, 06 Nov 2094 08:49:37 GMT, Sun, 06 Nov 2094 08:49:37 GMT")]
    public void A_date_that_is_none_is_ignored(string field) =>
        Assert.False(Preconditions.IsNotModified(Fields.Request(ifModifiedSince: field), null, Modified, Fields.Now));

    [Fact]
    public void If_none_match_goes_before_if_modified_since() => Assert.False(Preconditions.IsNotModified(
        Fields.Request(ifNoneMatch: "\"b\"", ifModifiedSince: HttpDate.Format(Fields.Now)), "\"a\"", Modified, Fields.Now));

    [Theory]
    // §13.1.5: strong comparison; an exact date that is a strong validator (§8.8.2.2).
    [InlineData(null, null, null, true)]
    [InlineData("\"a\"", "\"a\"", null, true)]
    [InlineData("\"b\"", "\"a\"", null, false)]
    [InlineData("W/\"a\"", "W/\"a\"", null, false)]
    [InlineData("\"a\"", null, null, false)]
    [InlineData("Sun, 01 Mar 2026 11:59:00 GMT", null, "Sun, 01 Mar 2026 11:59:00 GMT", true)]
    [InlineData("Sun, 01 Mar 2026 11:59:01 GMT", null, "Sun, 01 Mar 2026 11:59:01 GMT", false)]
    [InlineData("Sun, 01 Mar 2026 11:59:00 GMT", null, "Sun, 01 Mar 2026 11:58:00 GMT", false)]
    [InlineData("garbage", null, "garbage", false)]
    public void A_range_applies_to_the_representation_that_the_client_knows(string? ifRange, string? etag, string? lastModified, bool expected) =>
        Assert.Equal(expected, Preconditions.AllowsRange(ifRange, etag, lastModified, Fields.Now));
}
