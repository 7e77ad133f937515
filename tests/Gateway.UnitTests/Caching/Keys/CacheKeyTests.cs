using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.UnitTests.Caching.Semantics;
using Microsoft.AspNetCore.Http;

namespace Gateway.UnitTests.Caching.Keys;

public sealed class CacheKeyTests
{
    // What separates parts in some encoders, and the digits that separate them here.
    private const string Alphabet = "0123:/?#-|\u001f a";

    [Fact]
    public void Different_parts_make_different_keys()
    {
        var random = new Random(1);
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 20_000; i++)
        {
            var (route, policy, path, query) = (Text(random), Text(random), "/" + Text(random), "?" + Text(random));
            var key = CacheKey.Primary(route, policy, Request("http", "h", path, query));
            var parts = string.Join('\u2028', route, policy, path, query);
            Assert.True(keys.TryAdd(key, parts) || keys[key] == parts, $"{key}: {parts}, {keys[key]}");
        }
    }

    [Fact]
    public void Different_selecting_fields_make_different_variants()
    {
        var random = new Random(2);
        var rule = VaryRule.Parse("a, b");
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 20_000; i++)
        {
            var header = new HeaderDictionary();
            if (random.Next(4) > 0)
                header["a"] = Text(random);
            if (random.Next(4) > 0)
                header["b"] = Text(random);
            var key = "p" + CacheKey.VariantSuffix(rule, header);
            var parts = $"{Normal("a", header)}\u2029{Normal("b", header)}";
            Assert.True(keys.TryAdd(key, parts) || keys[key] == parts, $"{key}: {parts}, {keys[key]}");
        }
    }

    private static string Normal(string name, HeaderDictionary header) =>
        header.TryGetValue(name, out var value) && value.Count > 0 ? VaryRule.Normalize(name, value, new char[64]).ToString() : "\u2028";

    [Fact]
    public void Long_selecting_fields_make_short_keys_that_differ()
    {
        var rule = VaryRule.Parse("cookie");
        var one = CacheKey.VariantSuffix(rule, Fields.Header(("Cookie", new string('a', 10_000))));
        var other = CacheKey.VariantSuffix(rule, Fields.Header(("Cookie", new string('a', 9_999) + "b")));
        Assert.NotEqual(one, other);
        Assert.InRange(one.Length, 1, 128);
    }

    [Theory]
    [InlineData("Cookie", "id=s3cret")]
    [InlineData("Authorization", "Bearer s3cret")]
    public void Credentials_that_select_are_not_readable_in_the_key(string name, string value) =>
        Assert.DoesNotContain("s3cret", CacheKey.VariantSuffix(VaryRule.Parse(name), Fields.Header((name, value))), StringComparison.Ordinal);

    [Fact]
    public void A_key_longer_than_its_place_on_the_stack_is_whole()
    {
        var path = "/" + new string('x', 3000);
        Assert.EndsWith($"3001:{path}0:", CacheKey.Primary("r", "p", Request("http", "h", path, "")), StringComparison.Ordinal);
        Assert.NotEqual(CacheKey.Primary("r", "p", Request("http", "h", path + "1", "")), CacheKey.Primary("r", "p", Request("http", "h", path + "2", "")));
    }

    [Theory]
    [InlineData("http", "Shop.Example", "/", "http://shop.example/")]
    [InlineData("http", "shop.example:80", "/", "http://shop.example/")]
    [InlineData("https", "shop.example:443", "/", "https://shop.example/")]
    [InlineData("https", "shop.example:80", "/", "https://shop.example:80/")]
    [InlineData("http", "shop.example", "/a b", "http://shop.example/a%20b")]
    public void Equivalent_targets_have_one_url(string scheme, string host, string path, string expected) =>
        Assert.Equal(expected, CacheKey.Url(Request(scheme, host, path, "")));

    [Theory]
    [InlineData("http://shop.example/x")]
    [InlineData("http://SHOP.example:80/%78")]
    public void A_purge_s_url_is_the_request_s(string url) =>
        Assert.Equal(CacheKey.Url(Request("http", "shop.example", "/x", "")), CacheKey.Url(new Uri(url)));

    [Theory]
    [InlineData("?a=b&c=d/e?f:@!$'()*,;+", "?a=b&c=d/e?f:@!$'()*,;+")]
    [InlineData("?a|b", "?a%7Cb")]
    [InlineData("?\"{}<>^`\\[ ]", "?%22%7B%7D%3C%3E%5E%60%5C%5B%20%5D")]
    [InlineData("?%7e%41%2d%5F", "?~A-_")]
    [InlineData("?%c3%A4%2f%26%3d%23", "?%C3%A4%2F%26%3D%23")]
    [InlineData("?%", "?%25")]
    [InlineData("?%zz%a", "?%25zz%25a")]
    [InlineData("?\u00e4\u20ac\ud83d\ude00", "?%C3%A4%E2%82%AC%F0%9F%98%80")]
    public void A_query_has_one_form_whoever_wrote_it(string query, string expected)
    {
        Assert.Equal("http://h/" + expected, CacheKey.Url(Request("http", "h", "/", query)));
        Assert.Equal("http://h/" + expected, CacheKey.Url(Request("http", "h", "/", expected)));
        Assert.True(CacheKey.TryReadUrl("http://h/" + query, out var url));
        Assert.Equal("http://h/" + expected, CacheKey.Url(url));
    }

    [Fact]
    public void A_backslash_in_a_path_is_a_character()
    {
        Assert.True(CacheKey.TryReadUrl("http://h/a\\b", out var url));
        Assert.Equal(CacheKey.Url(Request("http", "h", "/a\\b", "")), CacheKey.Url(url));
    }

    [Theory]
    [InlineData("/a%2fb")]
    [InlineData("/a%2Fb")]
    public void An_encoded_slash_is_one_url_in_either_case(string path)
    {
        // The server leaves it as it came; the digits of an encoding have no case: RFC 3986 §6.2.2.1.
        Assert.Equal("http://h/a%2Fb", CacheKey.Url(Request("http", "h", path, "")));
        Assert.Equal("http://h/a%2Fb", CacheKey.Url(new Uri("http://h" + path)));
    }

    [Theory]
    [InlineData("http://h/", "http://h")]
    [InlineData("http://h/?q", "http://h")]
    [InlineData("http://h/a", "http://h http://h/a")]
    [InlineData("http://h/a/b?q=/c", "http://h http://h/a http://h/a/b")]
    [InlineData("http://h/a/b/", "http://h http://h/a http://h/a/b")]
    [InlineData("http://h//a//b", "http://h http://h//a http://h//a//b")]
    [InlineData("http://h/1/2/3/4/5/6/7/8/9/a/b/c/d", "http://h http://h/1 http://h/1/2 http://h/1/2/3 http://h/1/2/3/4 http://h/1/2/3/4/5 http://h/1/2/3/4/5/6 http://h/1/2/3/4/5/6/7 http://h/1/2/3/4/5/6/7/8 http://h/1/2/3/4/5/6/7/8/9 http://h/1/2/3/4/5/6/7/8/9/a http://h/1/2/3/4/5/6/7/8/9/a/b http://h/1/2/3/4/5/6/7/8/9/a/b/c")]
    public void A_url_is_below_its_origin_and_the_ends_of_its_first_segments(string url, string expected)
    {
        var ends = new int[CacheKey.MaxPrefixDepth + 1];
        Assert.Equal(expected.Split(' '), ends.Take(CacheKey.PrefixEnds(url, ends)).Select(end => url[..end]));
    }

    [Theory]
    [InlineData("http://h/a/b", "http://h/a/b")]
    [InlineData("http://h/a/b?q", "http://h/a/b")]
    [InlineData("http://h/a/b/", "http://h/a/b")]
    [InlineData("http://h/a/b/", "http://h/a")]
    [InlineData("http://h/", "http://h")]
    public void What_a_prefix_stands_for_matches_what_is_below_it(string url, string prefix) =>
        Assert.Contains(TargetSelectors.Of("r", url), TargetSelectors.OfPrefix(prefix).Contains);

    [Theory]
    [InlineData("http://h/a/b", "http://h/a/b/c")]
    [InlineData("http://h/a/bc", "http://h/a/b")]
    [InlineData("http://h2/a", "http://h")]
    public void What_a_prefix_stands_for_matches_nothing_else(string url, string prefix) =>
        Assert.DoesNotContain(TargetSelectors.Of("r", url), TargetSelectors.OfPrefix(prefix).Contains);

    [Theory]
    [InlineData("http://H:80/a/", "http://h/a")]
    [InlineData("http://h", "http://h")]
    [InlineData("http://h/%61%2Fb", "http://h/a%2Fb")]
    [InlineData("http://h/a?q", null)]
    [InlineData("http://h/1/2/3/4/5/6/7/8/9/a/b/c", "http://h/1/2/3/4/5/6/7/8/9/a/b/c")]
    [InlineData("http://h/1/2/3/4/5/6/7/8/9/a/b/c/d", null)]
    public void A_prefix_is_one_of_those_or_none(string url, string? expected) => Assert.Equal(expected, CacheKey.Prefix(new Uri(url)));

    [Fact]
    public void A_key_tells_what_it_was_made_of()
    {
        var key = CacheKey.Primary("a:1", "3:policy", Request("https", "Shop.Example:443", "/12:x y", "?1:2"));

        Assert.Equal(("a:1", "https://shop.example/12:x%20y?1:2"), CacheKey.Read(key + "6:accept-"));
    }

    [Fact]
    public void The_same_target_has_one_primary_key_and_another_case_of_the_path_another()
    {
        Assert.Equal(Key("h:80", "/x"), Key("H", "/x"));
        Assert.NotEqual(Key("h", "/x"), Key("h", "/X"));

        static string Key(string host, string path) => CacheKey.Primary("r", "p", Request("http", host, path, ""));
    }

    private static HttpRequest Request(string scheme, string host, string path, string query)
    {
        var request = new DefaultHttpContext().Request;
        request.Scheme = scheme;
        request.Host = new HostString(host);
        request.Path = new PathString(path);
        request.QueryString = new QueryString(query);
        return request;
    }

    private static string Text(Random random) => new([.. Enumerable.Range(0, random.Next(6)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
}
