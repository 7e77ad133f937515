using Gateway.ShortLinks;

namespace Gateway.UnitTests.ShortLinks;

public sealed class TagRulesTests
{
    [Fact]
    public void Tags_are_kept_in_lower_case_once_and_in_order()
    {
        Assert.True(TagRules.TryRead(["summer", "Sale", "sale", "2026.q3"], out var tags));
        Assert.Equal(["2026.q3", "sale", "summer"], tags);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("-a")]
    [InlineData("=a")]
    [InlineData("{a}")]
    [InlineData("ä")]
    [InlineData("123456789012345678901234567890123")]
    [InlineData(null)]
    public void What_is_no_tag_is_refused(string? tag) => Assert.False(TagRules.TryRead([tag!], out _));

    [Fact]
    public void A_link_has_ten_tags_at_most()
    {
        Assert.True(TagRules.TryRead([.. Enumerable.Range(0, 10).Select(i => $"{i}")], out _));
        Assert.False(TagRules.TryRead([.. Enumerable.Range(0, 11).Select(i => $"{i}")], out _));
    }
}
