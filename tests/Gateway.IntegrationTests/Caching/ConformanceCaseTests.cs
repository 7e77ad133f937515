using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Cases that the conformance suite (docs/conformance.md) lacks, over real connections: the same request twice, and whether the second is a hit.</summary>
public sealed class ConformanceCaseTests : OneNodeTests
{
    [Theory]
    // RFC 9213 §2.1, §2.2: a valid field replaces Cache-Control and Expires, any other is as good as none.
    [InlineData("CDN-Cache-Control: max-age=60", true)]
    [InlineData("Cache-Control: no-store⏎CDN-Cache-Control: max-age=60", true)]
    [InlineData("Cache-Control: max-age=60⏎CDN-Cache-Control: max-age=0", false)]
    [InlineData("Cache-Control: max-age=60⏎CDN-Cache-Control: none", false)]
    [InlineData("Expires: {+3600}⏎CDN-Cache-Control: none", false)]
    [InlineData("Expires: {-3600}⏎CDN-Cache-Control: max-age=60", true)]
    [InlineData("Cache-Control: max-age=60⏎CDN-Cache-Control: ", true)]
    [InlineData("Cache-Control: max-age=60⏎CDN-Cache-Control: max-age=0, MAX-AGE=0", true)]
    [InlineData("Cache-Control: max-age=60⏎CDN-Cache-Control: max-age=0.0", true)]
    [InlineData("Cache-Control: max-age=60⏎CDN-Cache-Control: max-age=token", true)]
    [InlineData("Cache-Control: no-store⏎CDN-Cache-Control: max-age=1, max-age=60;a=1", true)]
    [InlineData("Cache-Control: no-store⏎CDN-Cache-Control: max-age=0⏎CDN-Cache-Control: max-age=60", true)]
    // RFC 9111 §5.2, §4.2.1.
    [InlineData("Cache-Control: MAX-AGE=60,PUBLIC", true)]
    [InlineData("Cache-Control: ext=\"no-store, private\", max-age=60", true)]
    [InlineData("Cache-Control: max-age=60, ext=\"a, no-store", false)]
    [InlineData("Cache-Control: max-age=60, private= \"x, y", false)]
    [InlineData("Cache-Control: max-age=99999999999999999999", true)]
    [InlineData("Cache-Control: max-age=-1", false)]
    [InlineData("Cache-Control: max-age=60⏎Cache-Control: no-store", false)]
    [InlineData("Cache-Control: s-maxage=0, max-age=60", false)]
    [InlineData("Cache-Control: max-age=60⏎Pragma: no-cache", true)]
    // §5.3: what is no date is in the past; more than one is none. Years of two digits: RFC 9110 §5.6.7.
    [InlineData("Expires: {+3600}", true)]
    [InlineData("Expires: 0", false)]
    [InlineData("Expires: -1", false)]
    [InlineData("Expires: {+3600}⏎Expires: {+3600}", false)]
    [InlineData("Expires: Sunday, 06-Nov-94 08:49:37 GMT", false)]
    [InlineData("Expires: Sun Nov  6 08:49:37 1994", false)]
    [InlineData("Expires: {+3600}⏎Cache-Control: max-age=0", false)]
    [InlineData("Expires: {-3600}⏎Cache-Control: max-age=60", true)]
    // §4.2.3, §5.1.
    [InlineData("Cache-Control: max-age=60⏎Age: 61", false)]
    [InlineData("Cache-Control: max-age=60⏎Age: 99999999999999999999", false)]
    [InlineData("Cache-Control: max-age=60⏎Age: 0, 61", true)]
    [InlineData("Cache-Control: max-age=60⏎Age: -61", true)]
    [InlineData("Cache-Control: max-age=60⏎Date: {-120}", false)]
    [InlineData("Cache-Control: max-age=60⏎Date: {+86400}", true)]
    [InlineData("Cache-Control: max-age=60⏎Date: yesterday", true)]
    // §4.1.
    [InlineData("Cache-Control: max-age=60⏎Vary: Accept, *", false)]
    [InlineData("Cache-Control: max-age=60⏎Vary: Accept⏎Vary: *", false)]
    [InlineData("Cache-Control: max-age=60⏎Vary: ,⏎Vary: accept,ACCEPT", true)]
    // §5.2.2.3.
    [InlineData("Cache-Control: max-age=60, must-understand, no-store", true)]
    // RFC 5861 §3: within the window, at its end, and without one.
    [InlineData("Cache-Control: s-maxage=0, stale-while-revalidate=60", true)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=30⏎Age: 65", true)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=30⏎Age: 90", false)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=0⏎Age: 60", false)]
    [InlineData("Cache-Control: max-age=60, stale-while-revalidate=60, must-revalidate⏎Age: 61", false)]
    public async Task The_second_request_is_a_hit_or_it_is_none(string fields, bool isHit)
    {
        Origin.Map("/x", context => AnswerAsync(context, StatusCodes.Status200OK, fields));

        await Node.GetAsync("/x");
        var second = await Node.GetAsync("/x");

        Assert.True(isHit == second.CacheStatus().StartsWith("Gateway; hit", StringComparison.Ordinal), second.CacheStatus());
        Assert.False(second.Headers.Contains("Warning"));
    }

    [Theory]
    [InlineData(299, true)]
    [InlineData(302, true)]
    [InlineData(400, true)]
    [InlineData(599, true)]
    [InlineData(206, false)]
    [InlineData(412, false)]
    [InlineData(413, false)]
    [InlineData(416, false)]
    [InlineData(417, false)]
    [InlineData(421, false)]
    [InlineData(428, false)]
    [InlineData(429, false)]
    [InlineData(431, false)]
    [InlineData(511, false)]
    public async Task A_status_is_stored_when_the_origin_says_so_unless_it_is_about_one_request(int status, bool isStored)
    {
        Origin.Map("/x", context => AnswerAsync(context, status, "Cache-Control: public, max-age=60"));

        await Node.GetAsync("/x");
        var second = await Node.GetAsync("/x");

        Assert.Equal(status, (int)second.StatusCode);
        Assert.Equal(isStored ? 1 : 2, Origin.Count("/x"));
    }

    [Theory]
    [InlineData("PATCH", 204, true)]
    [InlineData("DELETE", 303, true)]
    [InlineData("FROBNICATE", 200, true)]
    [InlineData("PUT", 404, false)]
    [InlineData("DELETE", 500, false)]
    [InlineData("OPTIONS", 200, false)]
    public async Task A_method_that_may_change_something_invalidates_when_it_succeeds(string method, int status, bool invalidates)
    {
        Origin.Map("/x", context => context.Request.Method == "GET"
            ? AnswerAsync(context, StatusCodes.Status200OK, "Cache-Control: max-age=60")
            : AnswerAsync(context, status, "Cache-Control: max-age=60", ""));
        await Node.GetAsync("/x");

        Assert.Equal(status, (int)(await Node.SendAsync(new HttpMethod(method), "/x")).StatusCode);

        Assert.Equal(!invalidates, (await Node.GetAsync("/x")).CacheStatus().StartsWith("Gateway; hit", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/y", true)]
    [InlineData("y#part", true)]
    [InlineData("http://SHOP.example:80/y", true)]
    [InlineData("https://shop.example/y", false)]
    [InlineData("http://shop.example:8080/y", false)]
    [InlineData("http://other.example/y", false)]
    [InlineData("//other.example/y", false)]
    [InlineData("http://[", false)]
    public async Task Where_a_change_was_made_is_invalidated_in_the_same_origin_alone(string location, bool invalidates)
    {
        Origin.Map("/y", context => AnswerAsync(context, StatusCodes.Status200OK, "Cache-Control: max-age=60"));
        Origin.Map("/x", context => AnswerAsync(context, StatusCodes.Status201Created, $"Content-Location: {location}"));
        await Node.GetAsync("/y");

        await Node.SendAsync(HttpMethod.Put, "/x");

        Assert.Equal(!invalidates, (await Node.GetAsync("/y")).CacheStatus().StartsWith("Gateway; hit", StringComparison.Ordinal));
        Assert.Empty(Node.Log.Exceptions);
    }

    [Theory]
    // RFC 9110 §13.2.2: If-None-Match goes before If-Modified-Since, and both before Range; §8.8.3.2: weak comparison.
    [InlineData("If-None-Match: W/\"1\"", HttpStatusCode.NotModified)]
    [InlineData("If-None-Match: \"2\", *", HttpStatusCode.OK)]
    [InlineData("If-None-Match: \"2\"⏎If-Modified-Since: {+0}", HttpStatusCode.OK)]
    [InlineData("If-Modified-Since: {-3600}", HttpStatusCode.NotModified)]
    [InlineData("If-Modified-Since: {-7200}", HttpStatusCode.OK)]
    [InlineData("If-Modified-Since: soon", HttpStatusCode.OK)]
    [InlineData("If-None-Match: \"1\"⏎Range: bytes=0-0", HttpStatusCode.NotModified)]
    [InlineData("If-None-Match: \"2\"⏎Range: bytes=0-0", HttpStatusCode.PartialContent)]
    // §13.1.5: a date in If-Range counts when it is that of the response, exactly.
    [InlineData("If-Range: {-3600}⏎Range: bytes=0-0", HttpStatusCode.PartialContent)]
    [InlineData("If-Range: {-3599}⏎Range: bytes=0-0", HttpStatusCode.OK)]
    [InlineData("If-Range: \"1\", \"2\"⏎Range: bytes=0-0", HttpStatusCode.OK)]
    // §14.1.2, §14.2.
    [InlineData("Range: bytes=-0", HttpStatusCode.RequestedRangeNotSatisfiable)]
    [InlineData("Range: bytes=99-, -0", HttpStatusCode.RequestedRangeNotSatisfiable)]
    [InlineData("Range: bytes=99-, 0-0", HttpStatusCode.PartialContent)]
    [InlineData("Range: bytes=0-99999999999999999999", HttpStatusCode.PartialContent)]
    [InlineData("Range: bytes=-99999999999999999999", HttpStatusCode.PartialContent)]
    [InlineData("Range: BYTES=0-0", HttpStatusCode.PartialContent)]
    [InlineData("Range: bytes=", HttpStatusCode.OK)]
    [InlineData("Range: bytes=a-b", HttpStatusCode.OK)]
    [InlineData("Range: bytes=0-0⏎Range: bytes=1-1", HttpStatusCode.OK)]
    public async Task A_stored_response_answers_conditions_and_ranges_in_their_order(string fields, HttpStatusCode expected)
    {
        var modified = At(-3600);
        Origin.Map("/x", context => AnswerAsync(context, StatusCodes.Status200OK, $"Cache-Control: max-age=600⏎ETag: \"1\"⏎Last-Modified: {modified}"));
        await Node.GetAsync("/x");

        var answer = await Node.GetAsync("/x", Parse(fields.Replace("{-3600}", modified, StringComparison.Ordinal)));

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_field_that_is_absent_and_one_that_is_empty_select_different_variants()
    {
        Origin.Map("/x", context => AnswerAsync(
            context, StatusCodes.Status200OK, "Cache-Control: max-age=60⏎Vary: X-Key", context.Request.Headers.TryGetValue("X-Key", out var key) ? $"[{key}]" : "absent"));

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("absent", await (await Node.GetAsync("/x")).TextAsync());
            Assert.Equal("[]", await (await Node.GetAsync("/x", ("X-Key", ""))).TextAsync());
            Assert.Equal("[a,b]", await (await Node.GetAsync("/x", ("X-Key", "a,b"))).TextAsync());
            Assert.Equal("[a,b]", await (await Node.GetAsync("/x", ("X-Key", "a , b"))).TextAsync());
        }

        Assert.Equal(3, Origin.Count("/x"));
    }

    [Fact]
    public async Task The_targeted_field_and_those_it_replaces_reach_clients_unchanged()
    {
        Origin.Map("/x", context => AnswerAsync(context, StatusCodes.Status200OK, "Cache-Control: no-store⏎CDN-Cache-Control: max-age=60⏎Expires: 0"));

        await Node.GetAsync("/x");
        var hit = await Node.GetAsync("/x");

        Assert.StartsWith("Gateway; hit; ttl=", hit.CacheStatus(), StringComparison.Ordinal);
        Assert.Equal("no-store", hit.Headers.GetValues("Cache-Control").Single());
        Assert.Equal("max-age=60", hit.Headers.GetValues("CDN-Cache-Control").Single());
        Assert.Equal("0", hit.Content.Headers.NonValidated["Expires"].ToString());
    }

    private static Task AnswerAsync(HttpContext context, int status, string fields, string body = "0123456789")
    {
        context.Response.StatusCode = status;
        foreach (var (name, value) in Parse(fields))
            context.Response.Headers.Append(name, value);
        return status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified ? Task.CompletedTask : context.Response.WriteAsync(body);
    }

    // Lines with ⏎ between them; {+60} is the time in a minute.
    private static (string Name, string Value)[] Parse(string fields) =>
        [.. fields.Split('⏎').Select(line => line.Split(": ", 2)).Select(parts => (parts[0], WithTime(parts[1])))];

    private static string WithTime(string value) => value.StartsWith('{') ? At(int.Parse(value.Trim('{', '}'), CultureInfo.InvariantCulture)) : value;

    private static string At(int seconds) => TimeProvider.System.GetUtcNow().AddSeconds(seconds).ToString("r", CultureInfo.InvariantCulture);
}
