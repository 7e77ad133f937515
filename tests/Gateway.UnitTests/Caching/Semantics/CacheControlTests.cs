using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §5.2, RFC 5861.</summary>
public sealed class CacheControlTests
{
    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("max-age=60", 60L)]
    [InlineData("MAX-Age=60", 60L)]
    [InlineData("max-age=0060", 60L)]
    [InlineData("max-age=\"60\"", 60L)]
    [InlineData(" ,, max-age=60 ,", 60L)]
    [InlineData("public,max-age=60,immutable", 60L)]
    // The first counts: §4.2.1.
    [InlineData("max-age=1, max-age=60", 1L)]
    [InlineData("max-age=60⏎max-age=1", 60L)]
    // What is no number of seconds makes the response stale: §4.2.1.
    [InlineData("max-age", 0L)]
    [InlineData("max-age=", 0L)]
    [InlineData("max-age=a60", 0L)]
    [InlineData("max-age=60a", 0L)]
    [InlineData("max-age=60.5", 0L)]
    [InlineData("max-age=-60", 0L)]
    [InlineData("max-age='60'", 0L)]
    [InlineData("max-age= 60", 60L)]
    // Too large is "a very long time": §1.2.2.
    [InlineData("max-age=2147483648", 2147483648L)]
    [InlineData("max-age=99999999999", 2147483648L)]
    [InlineData("max-age=99999999999999999999999999", 2147483648L)]
    // Quoted text is not searched for directives.
    [InlineData("x=\"max-age=60\", max-age=1", 1L)]
    [InlineData("max-age=1, x=\"a, max-age=60\"", 1L)]
    [InlineData("x=\"\\\", max-age=60\"", null)]
    // A quote that does not end leaves the field in doubt: nothing in it makes fresh.
    [InlineData("x=\"max-age=60", 0L)]
    [InlineData("max-age=60, x=\"", 0L)]
    [InlineData("x=\"a, max-age=60", 0L)]
    // Nor does one beside what is no directive, and may have been meant for one.
    [InlineData("max-age=60, \"private\"", 0L)]
    [InlineData("max-age=60, \u00a0private", 0L)]
    [InlineData("max-age=60, no store", 0L)]
    [InlineData("max-age= \"60\"", 60L)]
    [InlineData("max-age = 60", 60L)]
    [InlineData("max-age=\"6\"0", 6L)]
    [InlineData("max-age=+60", 0L)]
    [InlineData("max-age=60;no-store", 0L)]
    [InlineData("s-max-age=60", null)]
    public void Max_age_is_read_from(string? field, long? expected) => Assert.Equal(expected, CacheControl.Parse(Fields.Lines(field)).MaxAge);

    [Theory]
    [InlineData("no-store", "NoStore")]
    [InlineData("No-StOrE", "NoStore")]
    [InlineData("no-store=1", "NoStore")]
    [InlineData("no-cache", "NoCache")]
    [InlineData("no-cache=\"\"", "NoCache")]
    [InlineData("no-cache=\" , \"", "NoCache")]
    [InlineData("private", "Private")]
    [InlineData("public, must-revalidate", "Public MustRevalidate")]
    [InlineData("proxy-revalidate⏎must-understand", "ProxyRevalidate MustUnderstand")]
    [InlineData("only-if-cached", "OnlyIfCached")]
    [InlineData("no-cache=\"set-cookie\"", "")]
    [InlineData("private=x", "")]
    [InlineData("private= \"set-cookie\"", "")]
    // What cannot be the name of a field concerns the whole response.
    [InlineData("private=\"a;b\"", "Private")]
    [InlineData("no-cache=\"a, b\\\"\"", "NoCache")]
    // No response can be stored without these.
    [InlineData("no-cache=\"Vary\"", "NoCache")]
    [InlineData("private=\"Set-Cookie, vary\"", "Private")]
    [InlineData("private=cache-control", "Private")]
    [InlineData("no-cache=\"Content-Encoding\"", "NoCache")]
    [InlineData("private=\"set-cookie", "Private")]
    // A quote that does not end hides no directive that restricts.
    [InlineData("x=\"a, no-store", "NoStore")]
    [InlineData("x=\"a, private, y=b\\", "Private")]
    [InlineData("nothing-to-see-here", "")]
    [InlineData("x=\"no-store\"", "")]
    public void Directives_without_numbers_are_read(string field, string expected)
    {
        var control = CacheControl.Parse(Fields.Lines(field));
        var said = new[]
        {
            (control.NoStore, "NoStore"), (control.NoCache, "NoCache"), (control.Private, "Private"), (control.Public, "Public"),
            (control.MustRevalidate, "MustRevalidate"), (control.ProxyRevalidate, "ProxyRevalidate"),
            (control.MustUnderstand, "MustUnderstand"), (control.OnlyIfCached, "OnlyIfCached"),
        }.Where(directive => directive.Item1).Select(directive => directive.Item2);
        Assert.Equal(expected, string.Join(' ', said));
        Assert.True(control.IsPresent);
    }

    [Theory]
    [InlineData("no-cache=\"a\"", "a")]
    [InlineData("no-cache=\"a, b\"", "a b")]
    [InlineData("private=\"Set-Cookie\", no-cache=\"x\"", "Set-Cookie x")]
    [InlineData("private=x", "x")]
    [InlineData("no-cache", null)]
    [InlineData("private=\"\"", null)]
    public void Fields_named_by_no_cache_and_private_are_not_stored(string field, string? expected) =>
        Assert.Equal(expected?.Split(' '), CacheControl.Parse(field).UnstoredFields);

    [Theory]
    [InlineData("min-fresh=5", 5L, null)]
    [InlineData("min-fresh=x", 2147483648L, null)]
    [InlineData("max-stale", null, long.MaxValue)]
    [InlineData("max-stale=5", null, 5L)]
    [InlineData("max-stale=x", null, 0L)]
    public void A_request_s_bounds_are_strict_where_they_are_unreadable(string field, long? minFresh, long? maxStale)
    {
        var control = CacheControl.Parse(field);
        Assert.Equal((minFresh, maxStale), (control.MinFresh, control.MaxStale));
    }

    [Theory]
    [InlineData("max-age=1, stale-while-revalidate=30, stale-if-error=60", 30L, 60L)]
    [InlineData("stale-while-revalidate", 0L, null)]
    [InlineData("stale-if-error=x", null, 0L)]
    public void Stale_windows_are_read(string field, long? whileRevalidate, long? ifError)
    {
        var control = CacheControl.Parse(field);
        Assert.Equal((whileRevalidate, ifError), (control.StaleWhileRevalidate, control.StaleIfError));
    }
}
