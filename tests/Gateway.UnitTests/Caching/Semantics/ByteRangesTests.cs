using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9110 §14.1.2, §14.2; a body of ten bytes.</summary>
public sealed class ByteRangesTests
{
    [Theory]
    [InlineData("bytes=0-0", "0-0")]
    [InlineData("bytes=0-9", "0-9")]
    [InlineData("bytes=2-", "2-9")]
    [InlineData("bytes=-3", "7-9")]
    [InlineData("bytes=-30", "0-9")]
    [InlineData("bytes=5-99999999999999999999999", "5-9")]
    [InlineData("BYTES=0-1", "0-1")]
    [InlineData("bytes= 0-1 , 4-5 ,, -1", "0-1 4-5 9-9")]
    [InlineData("bytes=8-9,0-1", "8-9 0-1")]
    // Unsatisfiable ones are left out, and none left is 416.
    [InlineData("bytes=0-1,20-30", "0-1")]
    [InlineData("bytes=10-", "")]
    [InlineData("bytes=20-30,-0", "")]
    [InlineData("bytes=99999999999999999999999-", "")]
    public void Ranges_are_selected(string field, string expected) =>
        Assert.Equal(expected, string.Join(' ', ByteRanges.Select(field, 10)!.Select(range => $"{range.Start}-{range.End}")));

    [Theory]
    [InlineData("pages=1-2")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=,")]
    [InlineData("bytes=-")]
    [InlineData("bytes=1")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=5-2")]
    [InlineData("bytes=1-2-3")]
    [InlineData("bytes=0-1;2-3")]
    [InlineData("bytes=+1-2")]
    // More bytes than there are, and more ranges than anybody needs: §14.2, §17.15.
    [InlineData("bytes=0-,0-")]
    [InlineData("bytes=0-5,5-9")]
    [InlineData("bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0")]
    public void A_field_that_is_invalid_or_greedy_is_ignored(string field) => Assert.Null(ByteRanges.Select(field, 10));

    [Fact]
    public void Of_an_empty_body_there_is_no_range() => Assert.Empty(ByteRanges.Select("bytes=0-", 0)!);

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void As_many_ranges_as_a_client_may_need_are_selected_and_no_more(int count, bool expected) =>
        Assert.Equal(expected, ByteRanges.Select("bytes=" + string.Join(',', Enumerable.Range(0, count).Select(i => $"{i}-{i}")), 100) is not null);

    [Fact]
    public void A_flood_of_ranges_is_ignored() =>
        Assert.Null(ByteRanges.Select("bytes=" + string.Join(',', Enumerable.Range(0, 1000).Select(i => $"{i}-{i}")), 1_000_000));
}
