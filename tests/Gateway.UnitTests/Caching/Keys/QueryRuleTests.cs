using Gateway.Caching;
using Gateway.Caching.Keys;

namespace Gateway.UnitTests.Caching.Keys;

public sealed class QueryRuleTests
{
    [Theory]
    [InlineData("id,page", "?id=1&utm_source=x&page=2", "?id=1&page=2")]
    [InlineData("id", "?x=1", "")]
    [InlineData("id", "?id", "?id")]
    [InlineData("id", "?id=1&id=2", "?id=1&id=2")]
    // As the origin reads keys: decoded, in exact case. The spelling that came is what it gets.
    [InlineData("id", "?%69d=1", "?%69d=1")]
    [InlineData("a b", "?a+b=1&a%20b=2", "?a+b=1&a%20b=2")]
    [InlineData("id", "?ID=1", "")]
    [InlineData("id", "?id%00=1", "")]
    [InlineData("f_*", "?f_a=1&f_=2&f=3", "?f_a=1&f_=2")]
    [InlineData("id", "?", "")]
    [InlineData("id", "", "")]
    [InlineData("id", "?=1&&id=2&", "?id=2")]
    public void Keep_names_the_only_keys_that_count(string keep, string query, string expected) =>
        Assert.Equal(expected, Rule(keep: keep).Select(query));

    [Theory]
    [InlineData("utm_*,fbclid", "?id=1&utm_source=x&fbclid=y&page=2", "?id=1&page=2")]
    [InlineData("utm_*", "?utm%5Fsource=x&%75tm_medium", "")]
    [InlineData("utm_*", "?UTM_source=x", "?UTM_source=x")]
    [InlineData("utm_*", "?utm=x&b=1&a=2", "?utm=x&b=1&a=2")]
    [InlineData("*", "?a=1&b", "")]
    // Origins that also part at ";" see no more of it than the key does.
    [InlineData("utm_*", "?a=1&utm_x=1;a=2", "?a=1")]
    [InlineData("utm_*", "?a=1;utm_x=1", "?a=1;utm_x=1")]
    [InlineData("a", "?b=a&c=%26a=1", "?b=a&c=%26a=1")]
    public void Drop_names_the_keys_that_do_not(string drop, string query, string expected) =>
        Assert.Equal(expected, Rule(drop: drop).Select(query));

    [Theory]
    [InlineData("?b=1&a=2", "?a=2&b=1")]
    [InlineData("?b=2&a=9&b=1", "?a=9&b=2&b=1")]
    [InlineData("?b=1&%61=2", "?%61=2&b=1")]
    public void Sorted_keys_keep_the_order_of_their_values(string query, string expected) =>
        Assert.Equal(expected, Rule(sort: true).Select(query));

    [Theory]
    [InlineData("http://h/x?utm_a=1&id=2", "http://h/x?id=2")]
    [InlineData("http://h/x?utm_a=1", "http://h/x")]
    [InlineData("http://h/x", "http://h/x")]
    public void A_url_is_reduced_like_its_query(string url, string expected)
    {
        Assert.Equal(expected, Rule(drop: "utm_*").SelectOfUrl(url));
        Assert.Equal(expected, Rule(drop: "utm_*").SelectOfUrl(expected));
    }

    [Fact]
    public void Without_options_there_is_no_rule() => Assert.Null(QueryRule.Of(new QueryKeysOptions()));

    private static QueryRule Rule(string keep = "", string drop = "", bool sort = false)
    {
        var options = new QueryKeysOptions { Sort = sort };
        foreach (var key in keep.Split(',', StringSplitOptions.RemoveEmptyEntries))
            options.Keep.Add(key);
        foreach (var key in drop.Split(',', StringSplitOptions.RemoveEmptyEntries))
            options.Drop.Add(key);
        return QueryRule.Of(options)!;
    }
}
