using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §4.3.5; a stored body of ten bytes.</summary>
public sealed class HeadUpdateTests
{
    [Theory]
    [InlineData(null, null, null, true)]
    [InlineData("\"a\"", "Sun, 01 Mar 2026 11:00:00 GMT", 10L, true)]
    [InlineData("\"b\"", null, null, false)]
    [InlineData("W/\"a\"", null, null, false)]
    [InlineData(null, "Sun, 01 Mar 2026 11:00:01 GMT", null, false)]
    [InlineData("\"a\"", null, 11L, false)]
    public void A_head_confirms_what_has_the_same_validators_and_length(string? etag, string? lastModified, long? length, bool expected)
    {
        var stored = Fields.Stored("max-age=60", 60, 0, ("ETag", "\"a\""), ("Last-Modified", "Sun, 01 Mar 2026 11:00:00 GMT"));
        Assert.Equal(expected, HeadUpdate.Confirms(stored, Fields.Response() with { ETag = etag }, lastModified, length));
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(410, false)]
    public void A_head_with_another_status_is_about_another_representation(int status, bool expected) =>
        Assert.Equal(expected, HeadUpdate.Confirms(Fields.Stored("max-age=60", 60, 0, ("ETag", "\"a\"")), Fields.Response(status), null, null));
}
