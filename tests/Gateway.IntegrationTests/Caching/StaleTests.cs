using System.Net;
using Gateway.Caching.Fetch;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>RFC 9111 §4.2.4, RFC 5861. Responses are stale when they come: their <c>Age</c> says so, and nobody has to wait.</summary>
public sealed class StaleTests : OneNodeTests
{
    [Fact]
    public async Task A_stale_response_is_used_while_one_request_refreshes_it()
    {
        var answer = new TaskCompletionSource();
        MapStaleThen("max-age=60, stale-while-revalidate=1000", async context =>
        {
            await answer.Task;
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync("new");
        });
        await Node.GetAsync("/x");

        foreach (var hit in await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Node.GetAsync("/x"))))
        {
            Assert.Equal("old", await hit.TextAsync());
            Assert.Matches("^Gateway; hit; ttl=-1[0-9]; detail=stale-while-revalidate$", hit.CacheStatus());
        }

        await Eventually.TrueAsync(() => Origin.Count("/x") == 2, "it is refreshed");
        answer.SetResult();
        await Eventually.TrueAsync(async () => await (await Node.GetAsync("/x")).TextAsync() == "new", "the new response is used");
        Assert.Equal(2, Origin.Count("/x"));
        Assert.Empty(Node.Log.Exceptions);
    }

    [Fact]
    public async Task The_refresh_asks_only_whether_the_response_changed_and_carries_nothing_of_the_client_s_conditions()
    {
        MapStaleThen("max-age=60, stale-while-revalidate=1000", context =>
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            context.Response.Headers.CacheControl = "max-age=600";
            return Task.CompletedTask;
        });
        await Node.GetAsync("/x");

        var hit = await Node.GetAsync("/x", ("Range", "bytes=0-0"), ("If-None-Match", "\"other\""));
        Assert.Equal("o", await hit.TextAsync());

        await Eventually.TrueAsync(async () => (await Node.GetAsync("/x")).CacheStatus().StartsWith("Gateway; hit; ttl=5", StringComparison.Ordinal), "it is fresh again");
        var refresh = Origin.Requests[1];
        Assert.Equal("\"1\"", refresh.Headers["If-None-Match"]);
        Assert.False(refresh.Headers.ContainsKey("Range"));
    }

    [Fact]
    public async Task A_refresh_that_brings_something_not_to_be_stored_ends_the_use_of_the_stale_response()
    {
        MapStaleThen("max-age=60, stale-while-revalidate=1000", context =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return context.Response.WriteAsync("new");
        });
        await Node.GetAsync("/x");
        await Node.GetAsync("/x");

        await Eventually.TrueAsync(async () => await (await Node.GetAsync("/x")).TextAsync() == "new", "the old response is not used any more");
        Assert.Equal("new", await (await Node.GetAsync("/x")).TextAsync());
    }

    [Fact]
    public async Task A_client_with_credentials_keeps_nobody_else_from_refreshing()
    {
        // RFC 9111 §3.5: what comes back for it is for nobody else.
        MapStaleThen("max-age=60, stale-while-revalidate=1000", context =>
        {
            context.Response.Headers.CacheControl = "max-age=600";
            return context.Response.WriteAsync("new");
        });
        await Node.GetAsync("/x");
        Assert.Equal("old", await (await Node.GetAsync("/x", ("Authorization", "Basic eDp5"))).TextAsync());
        await Eventually.TrueAsync(() => Origin.Count("/x") == 2, "its refresh is made");

        await Eventually.TrueAsync(async () => await (await Node.GetAsync("/x")).TextAsync() == "new", "the next one is made at once", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_refresh_that_fails_is_not_tried_again_at_once()
    {
        MapStaleThen("max-age=60, stale-while-revalidate=1000, stale-if-error=0", context =>
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        });
        await Node.GetAsync("/x");
        await Node.GetAsync("/x");
        await Eventually.TrueAsync(() => Origin.Count("/x") == 2, "the refresh was tried");

        for (var i = 0; i < 20; i++)
            Assert.Equal("old", await (await Node.GetAsync("/x")).TextAsync());
        Assert.Equal(2, Origin.Count("/x"));
    }

    [Theory]
    [InlineData("max-age=60, stale-if-error=1000", 503, 200)]
    [InlineData("max-age=60, stale-if-error=0", 503, 503)]
    [InlineData("max-age=60, stale-if-error=1000", 0, 200)]
    [InlineData("max-age=60, must-revalidate", 0, 504)]
    public async Task A_stale_response_stands_in_for_head_and_ranges_as_for_get(string cacheControl, int failure, int expected)
    {
        Origin.Map("/x", context =>
        {
            if (Origin.Count("/x") > 1)
            {
                if (failure == 0)
                    context.Abort();
                else
                    context.Response.StatusCode = failure;
                return Task.CompletedTask;
            }

            context.Response.Headers.CacheControl = cacheControl;
            context.Response.Headers.Age = "70";
            return context.Response.WriteAsync("old");
        });
        await Node.GetAsync("/x");

        var get = await Node.GetAsync("/x");
        var head = await Node.SendAsync(HttpMethod.Head, "/x");
        var range = await Node.GetAsync("/x", ("Range", "bytes=1-1"));

        Assert.Equal((expected, expected), ((int)get.StatusCode, (int)head.StatusCode));
        Assert.Equal(expected == 200 ? 206 : expected, (int)range.StatusCode);
        if (expected != 200)
            return;
        Assert.Equal((3L, "l"), (head.Content.Headers.ContentLength, await range.TextAsync()));
        Assert.Equal(get.CacheStatus(), head.CacheStatus());
    }

    [Fact]
    public async Task Refreshes_are_bounded_and_those_left_out_are_made_later()
    {
        const int Paths = BackgroundRefresh.MaxRunning + 20;
        var answer = new TaskCompletionSource();
        var refreshes = 0;
        var paths = Enumerable.Range(0, Paths).Select(i => $"/{i}").ToList();
        foreach (var path in paths)
        {
            Origin.Map(path, async context =>
            {
                context.Response.Headers.CacheControl = "max-age=60, stale-while-revalidate=1000";
                if (Origin.Count(path) == 1)
                {
                    context.Response.Headers.Age = "70";
                }
                else
                {
                    Interlocked.Increment(ref refreshes);
                    await answer.Task;
                }

                await context.Response.WriteAsync("body");
            });
            await Node.GetAsync(path);
        }

        foreach (var path in paths)
            Assert.Contains("detail=stale-while-revalidate", (await Node.GetAsync(path)).CacheStatus(), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => refreshes == BackgroundRefresh.MaxRunning, "as many are refreshed as may be");

        answer.SetResult();
        await Eventually.TrueAsync(
            async () => (await Task.WhenAll(paths.Select(path => Node.GetAsync(path))))
                .All(response => !response.CacheStatus().Contains("stale", StringComparison.Ordinal)),
            "all are fresh");
        Assert.Equal(Paths, refreshes);
    }

    [Theory]
    [InlineData("max-age=60", 200, "Gateway; fwd=stale; detail=disconnected")]
    [InlineData("max-age=60, stale-if-error=1000", 200, "Gateway; fwd=stale; detail=disconnected")]
    [InlineData("max-age=60, stale-if-error=5", 504, "")]
    [InlineData("max-age=60, must-revalidate", 504, "")]
    [InlineData("max-age=60, proxy-revalidate", 504, "")]
    [InlineData("max-age=60, s-maxage=60", 504, "")]
    [InlineData("max-age=60, no-cache", 504, "")]
    public async Task A_stale_response_stands_in_for_an_origin_that_breaks_the_connection_off(string cacheControl, int status, string cacheStatus)
    {
        MapStaleThen(cacheControl, context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        await Node.GetAsync("/x");

        var response = await Node.GetAsync("/x");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 200 ? "old" : "problem", status == 200 ? await response.TextAsync() : "problem");
        Assert.StartsWith(cacheStatus, response.CacheStatus(), StringComparison.Ordinal);
        Assert.Equal(status == 200, response.Headers.Contains("Age"));
    }

    [Theory]
    [InlineData("max-age=60", 503)]
    [InlineData("max-age=60, stale-if-error=1000", 200)]
    [InlineData("max-age=60, stale-if-error=1000, must-revalidate", 503)]
    public async Task A_stale_response_stands_in_for_an_error_where_the_origin_said_so(string cacheControl, int status)
    {
        MapStaleThen(cacheControl, context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers["X-Of-The-Error"] = "1";
            return context.Response.WriteAsync("error");
        });
        await Node.GetAsync("/x");

        var response = await Node.GetAsync("/x");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 200 ? "old" : "error", await response.TextAsync());
        Assert.Equal(status != 200, response.Headers.Contains("X-Of-The-Error"));
        if (status == 200)
            Assert.Equal("Gateway; fwd=stale; fwd-status=503; detail=stale-if-error", response.CacheStatus());
    }

    [Fact]
    public async Task The_policy_speaks_for_an_origin_that_says_nothing()
    {
        await using var node = await CacheTestNode.StartAsync(
            Origin, Redis, new { StaleWhileRevalidate = "00:00:00", StaleIfError = "01:00:00", StaleIfUnreachable = "00:00:00" });
        var fails = 0;
        MapStaleThen("max-age=60", context =>
        {
            if (Interlocked.Increment(ref fails) == 1)
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            else
                context.Abort();
            return Task.CompletedTask;
        });
        await node.GetAsync("/x");

        Assert.Equal("old", await (await node.GetAsync("/x")).TextAsync());
        Assert.Equal(HttpStatusCode.GatewayTimeout, (await node.GetAsync("/x")).StatusCode);
    }

    [Fact]
    public async Task Those_who_waited_for_an_origin_that_failed_get_the_stale_response_too()
    {
        var arrived = new TaskCompletionSource();
        var fail = new TaskCompletionSource();
        MapStaleThen("max-age=60", async context =>
        {
            arrived.TrySetResult();
            await fail.Task;
            context.Abort();
        });
        await Node.GetAsync("/x");

        var leader = Node.GetAsync("/x");
        await arrived.Task;
        var followers = Enumerable.Range(0, 10).Select(_ => Node.GetAsync("/x")).ToArray();
        fail.SetResult();

        foreach (var response in await Task.WhenAll([leader, .. followers]))
            Assert.Equal("old", await response.TextAsync());
    }

    private void MapStaleThen(string cacheControl, RequestDelegate then)
    {
        var requests = 0;
        Origin.Map("/x", context =>
        {
            if (Interlocked.Increment(ref requests) > 1)
                return then(context);
            context.Response.Headers.CacheControl = cacheControl;
            context.Response.Headers.ETag = "\"1\"";
            context.Response.Headers.Age = "70";
            return context.Response.WriteAsync("old");
        });
    }
}
