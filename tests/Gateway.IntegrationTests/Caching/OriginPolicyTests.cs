using System.Net;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Caching;

public sealed class OriginPolicyTests : TwoNodeTests
{
    public override Task DisposeAsync()
    {
        Assert.DoesNotContain(A.Log.Events, logged => logged.Level >= LogLevel.Error);
        Assert.DoesNotContain(B.Log.Events, logged => logged.Level >= LogLevel.Error);
        return base.DisposeAsync();
    }

    [Theory]
    [InlineData("max-age=60")]
    [InlineData("s-maxage=60, max-age=0")]
    [InlineData("public, max-age=60")]
    public async Task A_fresh_response_is_reused_by_all_nodes(string cacheControl)
    {
        Origin.Map("/x", "body", ("Cache-Control", cacheControl), ("X-Field", "kept"));

        var first = await A.GetAsync("/x");
        Assert.Equal("Gateway; fwd=uri-miss; fwd-status=200; stored", first.CacheStatus());
        await Eventually.TrueAsync(async () => (await B.GetAsync("/x")).CacheStatus().StartsWith("Gateway; hit; ttl=", StringComparison.Ordinal), "the other node hits");

        foreach (var node in new[] { A, B })
        {
            var hit = await node.GetAsync("/x");
            Assert.StartsWith("Gateway; hit; ttl=", hit.CacheStatus(), StringComparison.Ordinal);
            Assert.Equal("body", await hit.TextAsync());
            Assert.Equal("kept", hit.Headers.GetValues("X-Field").Single());
            Assert.NotNull(hit.Headers.Age);
        }

        Assert.Equal(1, Origin.Count("/x"));
    }

    [Theory]
    [InlineData("no-store", "response-no-store")]
    [InlineData("private, max-age=60", "response-private")]
    [InlineData("", "no-freshness")]
    public async Task A_response_that_may_not_be_stored_says_why(string cacheControl, string detail)
    {
        Origin.Map("/x", "body", cacheControl.Length == 0 ? [] : [("Cache-Control", cacheControl)]);

        await A.GetAsync("/x");
        var second = await A.GetAsync("/x");

        Assert.Equal($"Gateway; fwd=uri-miss; fwd-status=200; detail={detail}", second.CacheStatus());
        Assert.Equal(2, Origin.Count("/x"));
    }

    [Theory]
    [InlineData("ETag", "\"1\"", "If-None-Match", "\"1\"")]
    [InlineData("Last-Modified", "Tue, 03 Nov 2026 08:00:00 GMT", "If-Modified-Since", "Tue, 03 Nov 2026 08:00:00 GMT")]
    public async Task A_stale_response_is_revalidated_and_served_when_the_origin_says_304(string field, string value, string condition, string expected)
    {
        Origin.Map("/x", async context =>
        {
            context.Response.Headers.CacheControl = "max-age=0";
            context.Response.Headers[field] = value;
            context.Response.Headers["X-Updated"] = context.Request.Headers[condition].Count > 0 ? "yes" : "no";
            if (context.Request.Headers[condition] == expected)
                context.Response.StatusCode = 304;
            else
                await context.Response.WriteAsync("body");
        });

        await A.GetAsync("/x");
        var second = await A.GetAsync("/x");

        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal("body", await second.TextAsync());
        Assert.Equal("yes", second.Headers.GetValues("X-Updated").Single());
        Assert.Equal("Gateway; fwd=stale; fwd-status=304; stored; detail=validated", second.CacheStatus());
    }

    [Fact]
    public async Task Variants_are_kept_apart_by_the_fields_in_Vary()
    {
        Origin.Map("/x", async context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.Vary = "Accept-Language";
            await context.Response.WriteAsync(context.Request.Headers.AcceptLanguage.ToString());
        });

        foreach (var language in new[] { "de", "en", "de", "en" })
            Assert.Equal(language, await (await A.GetAsync("/x", ("Accept-Language", language))).TextAsync());
        Assert.Equal(2, Origin.Count("/x"));

        var other = await B.GetAsync("/x", ("Accept-Language", "fr"));
        Assert.Equal("Gateway; fwd=vary-miss; fwd-status=200; stored", other.CacheStatus());
        Assert.Equal("de", await (await B.GetAsync("/x", ("Accept-Language", "de"))).TextAsync());
        Assert.Equal(3, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_client_that_has_the_response_gets_304_on_a_miss_and_on_a_hit()
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"), ("ETag", "\"1\""));

        var miss = await A.GetAsync("/x", ("If-None-Match", "\"1\""));
        Assert.Equal(HttpStatusCode.NotModified, miss.StatusCode);
        Assert.Equal("Gateway; fwd=uri-miss; fwd-status=200; stored", miss.CacheStatus());

        var hit = await A.GetAsync("/x", ("If-None-Match", "W/\"1\", \"2\""));
        Assert.Equal(HttpStatusCode.NotModified, hit.StatusCode);
        Assert.Equal("\"1\"", hit.Headers.ETag!.Tag);
        Assert.Equal("body", await (await A.GetAsync("/x")).TextAsync());
        Assert.Equal(1, Origin.Count("/x"));
        Assert.DoesNotContain(Origin.Requests[0].Headers.Keys, name => name.StartsWith("If-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Head_is_answered_from_the_response_to_get()
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"));
        await A.GetAsync("/x");

        var head = await A.SendAsync(HttpMethod.Head, "/x");

        Assert.Equal(4, head.Content.Headers.ContentLength);
        Assert.StartsWith("Gateway; hit", head.CacheStatus(), StringComparison.Ordinal);
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Theory]
    [InlineData("Authorization", "Basic eA==", "authorization")]
    [InlineData("Range", "bytes=0-1", "request-range")]
    [InlineData("Cache-Control", "no-store", "request-no-store")]
    public async Task A_request_whose_answer_is_its_own_is_not_shared(string field, string value, string detail)
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"));

        var own = await A.GetAsync("/x", (field, value));
        Assert.EndsWith($"; detail={detail}", own.CacheStatus(), StringComparison.Ordinal);
        await A.GetAsync("/x");

        Assert.Equal(2, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_response_that_sets_a_cookie_is_not_shared()
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"), ("Set-Cookie", "id=1"));

        var first = await A.GetAsync("/x");
        Assert.Equal("Gateway; fwd=uri-miss; fwd-status=200; detail=set-cookie", first.CacheStatus());
        Assert.Equal("id=1", first.Headers.GetValues("Set-Cookie").Single());
        await A.GetAsync("/x");
        Assert.Equal(2, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_body_that_was_cut_off_is_not_stored_and_not_passed_off_as_whole()
    {
        var requests = 0;
        var halfArrived = new TaskCompletionSource();
        Origin.Map("/x", async context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            if (Interlocked.Increment(ref requests) == 1)
            {
                await context.Response.WriteAsync("half");
                await context.Response.Body.FlushAsync();
                await halfArrived.Task;
                context.Abort();
                return;
            }

            await context.Response.WriteAsync("whole");
        });

        using (var request = new HttpRequestMessage(HttpMethod.Get, "/x") { Headers = { Host = CacheTestNode.Host } })
        {
            var response = await A.Public.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            halfArrived.SetResult();
            await Assert.ThrowsAsync<HttpRequestException>(response.TextAsync);
        }

        Assert.Equal("whole", await (await A.GetAsync("/x")).TextAsync());
        Assert.Equal("whole", await (await A.GetAsync("/x")).TextAsync());
        Assert.Equal(2, requests);
    }

    [Fact]
    public async Task Only_if_cached_is_answered_504_when_nothing_is_stored()
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"));
        var refused = await A.GetAsync("/x", ("Cache-Control", "only-if-cached"));
        Assert.Equal(HttpStatusCode.GatewayTimeout, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        await A.GetAsync("/x");
        Assert.Equal(HttpStatusCode.OK, (await A.GetAsync("/x", ("Cache-Control", "only-if-cached"))).StatusCode);
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task An_unsafe_method_invalidates_the_target_and_the_location_on_all_nodes()
    {
        Origin.Map("/x", context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.Location = context.Request.Method == "POST" ? "/y" : default;
            return context.Response.WriteAsync("body");
        });
        Origin.Map("/y", "body", ("Cache-Control", "max-age=60"));
        foreach (var path in new[] { "/x", "/y" })
        {
            await A.GetAsync(path);
            await Eventually.TrueAsync(async () => (await B.GetAsync(path)).CacheStatus().Contains("; hit;", StringComparison.Ordinal), "the other node hits");
        }

        await A.SendAsync(HttpMethod.Post, "/x");

        foreach (var path in new[] { "/x", "/y" })
        {
            var here = await A.GetAsync(path);
            Assert.Contains("fwd=miss", here.CacheStatus(), StringComparison.Ordinal);
            await Eventually.TrueAsync(() => Task.FromResult(Origin.Count(path) >= 2), "fetched again");
        }

        await A.SendAsync(HttpMethod.Put, "/x");
        await Eventually.TrueAsync(async () => !(await B.GetAsync("/x")).CacheStatus().Contains("; hit;", StringComparison.Ordinal), "the other node learns of it");
    }

    [Fact]
    public async Task The_same_path_in_another_case_or_with_another_query_is_another_response()
    {
        foreach (var path in new[] { "/x", "/X" })
            Origin.Map(path, context =>
            {
                context.Response.Headers.CacheControl = "max-age=60";
                return context.Response.WriteAsync(context.Request.Path + context.Request.QueryString.ToString());
            });

        foreach (var target in new[] { "/x", "/X", "/x?a=1", "/x?A=1", "/x?a=1&", "/x?" })
            Assert.Equal(target == "/x?" ? "/x" : target, (await (await A.GetAsync(target)).TextAsync()).TrimEnd('?'));
    }
}
