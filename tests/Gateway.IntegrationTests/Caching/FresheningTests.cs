using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>
/// What a 304 or a response to HEAD may do to a stored response that it confirms: to update is to store, so that RFC 9111
/// §3 and §3.5 hold for it as for any other response.
/// </summary>
public sealed class FresheningTests : OneNodeTests
{
    [Theory]
    [InlineData("Cache-Control: no-store", "response-no-store")]
    [InlineData("Cache-Control: no-store, max-age=60", "response-no-store")]
    [InlineData("Cache-Control: private, max-age=60", "response-private")]
    [InlineData("Cache-Control: max-age=60⏎CDN-Cache-Control: no-store", "response-no-store")]
    [InlineData("Cache-Control: max-age=60⏎Vary: *", "vary-any")]
    public async Task A_304_that_must_not_be_stored_answers_its_client_and_ends_the_use_of_what_is_stored(string fields, string detail)
    {
        MapStaleThen(fields);
        await Node.GetAsync("/x");

        var validated = await Node.GetAsync("/x");
        var next = await Node.GetAsync("/x");

        Assert.Equal("body", await validated.TextAsync());
        Assert.Equal($"Gateway; fwd=stale; fwd-status=304; detail={detail}", validated.CacheStatus());
        Assert.Equal(("body", 3), (await next.TextAsync(), Origin.Count("/x")));
        Assert.Equal("\"1\"", Origin.Requests[^1].Headers["If-None-Match"]);
    }

    [Theory]
    [InlineData("GET", "Cache-Control", "no-store")]
    [InlineData("GET", "Authorization", "Basic YWxpY2U6MQ==")]
    [InlineData("HEAD", "Cache-Control", "no-store")]
    [InlineData("HEAD", "Authorization", "Basic YWxpY2U6MQ==")]
    public async Task An_answer_that_is_one_client_s_alone_changes_nothing_that_is_stored(string method, string name, string value)
    {
        MapStaleThen("Cache-Control: max-age=60⏎X-For: alice");
        await Node.GetAsync("/x");

        var own = await Node.SendAsync(new HttpMethod(method), "/x", (name, value));
        Origin.Map("/x", context => AnswerAsync(context, "Cache-Control: max-age=60"));
        var next = await Node.GetAsync("/x");

        Assert.Equal("alice", own.Headers.GetValues("X-For").Single());
        Assert.DoesNotContain("stored", own.CacheStatus(), StringComparison.Ordinal);
        Assert.False(next.Headers.Contains("X-For"));
        Assert.Equal(("body", 3), (await next.TextAsync(), Origin.Count("/x")));
    }

    [Fact]
    public async Task A_head_that_must_not_be_stored_ends_the_use_of_what_is_stored()
    {
        MapStaleThen("Cache-Control: private, max-age=60");
        await Node.GetAsync("/x");
        var head = await Node.SendAsync(HttpMethod.Head, "/x");

        Assert.EndsWith("; fwd-status=200; detail=response-private", head.CacheStatus(), StringComparison.Ordinal);
        Assert.StartsWith("Gateway; fwd=stale", (await Node.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    // RFC 9211 §2, §3: a cache nearer to the origin said it of the stored response.
    [Fact]
    public async Task What_another_cache_said_stands_before_what_this_one_says()
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"), ("Cache-Status", "Shield; hit; ttl=5"));

        Assert.Equal("Shield; hit; ttl=5, Gateway; fwd=uri-miss; fwd-status=200; stored", (await Node.GetAsync("/x")).CacheStatus());
        Assert.StartsWith("Shield; hit; ttl=5, Gateway; hit; ttl=", (await Node.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    // The first answer is stale when it comes, and without the 304's fields a heuristic would make it fresh for a day.
    private void MapStaleThen(string fields) => Origin.Map("/x", context => context.Request.Headers.IfNoneMatch.Count == 0 && HttpMethods.IsGet(context.Request.Method)
        ? AnswerAsync(context, "Cache-Control: max-age=60⏎Age: 70⏎Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT")
        : AnswerAsync(context, fields));

    private static Task AnswerAsync(HttpContext context, string fields)
    {
        context.Response.Headers.ETag = "\"1\"";
        foreach (var line in fields.Split('⏎'))
            context.Response.Headers.Append(line.Split(": ")[0], line.Split(": ")[1]);
        if (context.Request.Headers.IfNoneMatch.Count == 0)
            return context.Response.WriteAsync("body");
        context.Response.StatusCode = StatusCodes.Status304NotModified;
        return Task.CompletedTask;
    }
}
