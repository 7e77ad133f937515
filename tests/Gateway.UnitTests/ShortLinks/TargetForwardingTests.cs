using Gateway.ShortLinks;

namespace Gateway.UnitTests.ShortLinks;

public sealed class TargetForwardingTests
{
    [Theory]
    [InlineData("https://shop.example", "a/b", "https://shop.example/a/b")]
    [InlineData("https://shop.example/", "a", "https://shop.example/a")]
    [InlineData("https://shop.example/docs", "a%20b/", "https://shop.example/docs/a%20b/")]
    [InlineData("https://shop.example/docs/", "a", "https://shop.example/docs/a")]
    [InlineData("https://shop.example/docs?x=1#top", "a", "https://shop.example/docs/a?x=1#top")]
    [InlineData("https://shop.example?x=/1", "a", "https://shop.example/a?x=/1")]
    [InlineData("https://shop.example", "@evil.example", "https://shop.example/@evil.example")]
    [InlineData("https://shop.example", ".evil.example", "https://shop.example/.evil.example")]
    [InlineData("https://shop.example", ":8080", "https://shop.example/:8080")]
    [InlineData("https://shop.example", "/evil.example", "https://shop.example//evil.example")]
    [InlineData("https://shop.example", "https://evil.example", "https://shop.example/https://evil.example")]
    public void A_path_grows_and_the_origin_stays(string target, string suffix, string expected)
    {
        var result = TargetForwarding.AppendPath(target, suffix);

        Assert.Equal(expected, result);
        Assert.Equal("shop.example:443", new Uri(result!).GetComponents(UriComponents.HostAndPort | UriComponents.StrongPort, UriFormat.UriEscaped));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("%2e%2e")]
    [InlineData(".%2E/a")]
    [InlineData("%252e%252e/a")]
    [InlineData("..;x=1/a")]
    [InlineData("a%2fb")]
    [InlineData("a%5c..%5cb")]
    [InlineData("a\\b")]
    [InlineData("a%0d%0aX:y")]
    [InlineData("a%00")]
    [InlineData("%c0%ae%c0%ae/a")]
    [InlineData("%25c0%25af")]
    [InlineData("%e0%80%af")]
    [InlineData("a b")]
    [InlineData("a?b")]
    [InlineData("a#b")]
    [InlineData("a\"b")]
    [InlineData("ä")]
    public void A_path_that_could_leave_the_targets_is_not_taken(string suffix) =>
        Assert.Null(TargetForwarding.AppendPath("https://shop.example/docs", suffix));

    [Theory]
    [InlineData("https://shop.example", "a=1", "https://shop.example?a=1")]
    [InlineData("https://shop.example/?", "a=1", "https://shop.example/?a=1")]
    [InlineData("https://shop.example/?x=1", "a=1&b", "https://shop.example/?x=1&a=1&b")]
    [InlineData("https://shop.example/?x=1#top", "a=1", "https://shop.example/?x=1&a=1#top")]
    [InlineData("https://shop.example/?x=1", "x=2", "https://shop.example/?x=1")]
    [InlineData("https://shop.example/?x=1", "%78=2&a=1", "https://shop.example/?x=1&a=1")]
    [InlineData("https://shop.example/", "a=%0d%0aX:y", "https://shop.example/?a=%0d%0aX:y")]
    [InlineData("https://shop.example/", "a=<\">#b", "https://shop.example/?a=%3C%22%3E%23b")]
    [InlineData("https://shop.example/", "&&", "https://shop.example/")]
    public void A_query_is_added_and_the_targets_own_parameters_stay(string target, string query, string expected) =>
        Assert.Equal(expected, TargetForwarding.AppendQuery(target, query));

    [Fact]
    public void What_would_be_longer_than_a_target_may_be_is_not_forwarded()
    {
        Assert.Null(TargetForwarding.AppendPath("https://shop.example/", new string('a', TargetRules.MaxLength)));
        Assert.Equal("https://shop.example/", TargetForwarding.AppendQuery("https://shop.example/", new string('a', TargetRules.MaxLength)));
    }
}
