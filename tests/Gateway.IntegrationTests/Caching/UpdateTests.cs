using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>What changes stored responses: 304 and HEAD (RFC 9111 §3.2, §4.3), POST (RFC 9110 §9.3.3), other variants (§4.1).</summary>
public sealed class UpdateTests : TwoNodeTests
{
    [Fact]
    public async Task A_304_updates_the_stored_fields_but_not_those_that_describe_the_stored_bytes()
    {
        Origin.Map("/x", context =>
        {
            var isFirst = context.Request.Headers.IfNoneMatch.Count == 0;
            var fields = context.Response.Headers;
            (fields.CacheControl, fields.ETag, fields.ContentType) = ("max-age=60", "\"1\"", isFirst ? "text/plain" : "text/html");
            (fields["X-Changed"], fields.ContentEncoding) = (isFirst ? "old" : "new", isFirst ? "x-one" : "x-two");
            if (isFirst)
            {
                (fields.Age, fields["X-Kept"]) = ("70", "kept");
                return context.Response.WriteAsync("body");
            }

            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        });
        await A.GetAsync("/x");

        foreach (var node in new[] { A, B })
        {
            var response = await node.GetAsync("/x");
            Assert.Equal("body", await response.TextAsync());
            Assert.Equal("new", response.Headers.GetValues("X-Changed").Single());
            Assert.Equal("kept", response.Headers.GetValues("X-Kept").Single());
            Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
            Assert.Equal("x-one", response.Content.Headers.ContentEncoding.Single());
            Assert.Equal(4, response.Content.Headers.ContentLength);
        }

        Assert.Equal(2, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_head_that_confirms_the_stored_response_freshens_it()
    {
        MapGetThenHead(headTag: "\"1\"");
        await A.GetAsync("/x");

        var head = await A.SendAsync(HttpMethod.Head, "/x");
        Assert.Equal("Gateway; fwd=stale; fwd-status=200; stored", head.CacheStatus());

        foreach (var node in new[] { A, B })
        {
            var get = await node.GetAsync("/x");
            Assert.Equal("body", await get.TextAsync());
            Assert.Equal("head", get.Headers.GetValues("X-By").Single());
            Assert.StartsWith("Gateway; hit", get.CacheStatus(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_head_that_contradicts_the_stored_response_makes_it_stale()
    {
        MapGetThenHead(headTag: "\"2\"");
        await A.GetAsync("/x");
        await A.SendAsync(HttpMethod.Head, "/x", ("Cache-Control", "no-cache"));

        Assert.StartsWith("Gateway; fwd=stale", (await A.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_post_that_names_its_own_url_is_stored_for_get_and_others_are_not()
    {
        foreach (var (path, location) in new[] { ("/own", "/own"), ("/other", "/elsewhere") })
        {
            Origin.Map(path, context =>
            {
                context.Response.Headers.CacheControl = "max-age=60";
                context.Response.Headers.ContentLocation = location;
                return context.Response.WriteAsync(context.Request.Method);
            });
            await A.GetAsync(path);
            await A.SendAsync(HttpMethod.Post, path);
        }

        Assert.Equal("POST", await (await A.GetAsync("/own")).TextAsync());
        Assert.Equal("GET", await (await A.GetAsync("/other")).TextAsync());
        Assert.Equal((2, 3), (Origin.Count("/own"), Origin.Count("/other")));
        await Eventually.TrueAsync(async () => await (await B.GetAsync("/own")).TextAsync() == "POST", "the other node has it");
        await A.SendAsync(HttpMethod.Post, "/own");
        Assert.Equal(3, Origin.Count("/own"));
    }

    [Fact]
    public async Task A_post_that_may_have_been_taken_for_one_to_another_target_is_not_stored()
    {
        Origin.Map("/own", context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.ContentLocation = "/own";
            return context.Response.WriteAsync($"{context.Request.Method} {context.Request.Headers["X-Forwarded-Host"]}");
        });

        var own = await A.SendAsync(HttpMethod.Post, "/own", ("X_Forwarded_Host", "evil.example"));
        var next = await A.GetAsync("/own");

        Assert.StartsWith("POST", await own.TextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("GET", await next.TextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tag_purge_during_a_post_keeps_its_response_from_being_stored()
    {
        var (arrived, answer) = MapHeldPost();

        var post = A.SendAsync(HttpMethod.Post, "/own");
        await arrived;
        using var purge = await B.Admin.PostAsJsonAsync("/cache/purge?wait=true", new { tag = "red" });
        purge.EnsureSuccessStatusCode();
        answer.SetResult();

        Assert.Equal("POST", await (await post).TextAsync());
        Assert.Equal("GET", await (await A.GetAsync("/own")).TextAsync());
    }

    [Fact]
    public async Task A_purge_that_a_node_has_not_read_yet_is_not_covered_up_by_its_posts_own_invalidation()
    {
        await using var link = SlowLink.To(Redis.Port);
        await using var far = await GatewayNode.StartAsync(CacheTestNode.Config(Origin), link.ConnectionString);
        var (arrived, answer) = MapHeldPost();

        var post = far.SendAsync(HttpMethod.Post, "/own");
        await arrived;
        link.Delay = TimeSpan.FromMilliseconds(800);
        using var purge = await A.Admin.PostAsJsonAsync("/cache/purge", new { url = $"http://{CacheTestNode.Host}/own" });
        purge.EnsureSuccessStatusCode();
        answer.SetResult();

        Assert.Equal("POST", await (await post).TextAsync());
        link.Delay = default;
        Assert.Equal("GET", await (await far.GetAsync("/own")).TextAsync());
    }

    [Fact]
    public async Task A_get_that_was_under_way_on_another_node_does_not_take_the_place_of_a_posts_response()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Origin.Map("/own", async context =>
        {
            if (HttpMethods.IsGet(context.Request.Method))
            {
                arrived.TrySetResult();
                await answer.Task;
            }

            await WriteOwnAsync(context);
        });

        var get = B.GetAsync("/own");
        await arrived.Task;
        await A.SendAsync(HttpMethod.Post, "/own");
        Assert.Equal("POST", await (await A.GetAsync("/own")).TextAsync());
        await Eventually.TrueAsync(async () => await (await B.GetAsync("/own")).TextAsync() == "POST", "the other node has it");
        answer.SetResult();

        Assert.Equal("GET", await (await get).TextAsync());
        foreach (var node in new[] { A, B })
            Assert.Equal("POST", await (await node.GetAsync("/own")).TextAsync());
        await using var third = await CacheTestNode.StartAsync(Origin, Redis);
        Assert.Equal("POST", await (await third.GetAsync("/own")).TextAsync());
    }

    private (Task Arrived, TaskCompletionSource Answer) MapHeldPost()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Origin.Map("/own", async context =>
        {
            if (HttpMethods.IsPost(context.Request.Method))
            {
                arrived.TrySetResult();
                await answer.Task;
            }

            await WriteOwnAsync(context);
        });
        return (arrived.Task, answer);
    }

    private static Task WriteOwnAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "max-age=60";
        context.Response.Headers.ContentLocation = "/own";
        context.Response.Headers["Surrogate-Key"] = "red";
        return context.Response.WriteAsync(context.Request.Method);
    }

    [Fact]
    public async Task A_target_keeps_its_latest_64_variants()
    {
        Origin.Map("/x", context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.Vary = "Foo";
            return context.Response.WriteAsync(context.Request.Headers["Foo"].ToString());
        });
        for (var i = 0; i <= 64; i++)
            await A.GetAsync("/x", ("Foo", $"{i}"));

        foreach (var node in new[] { A, B })
        {
            Assert.StartsWith("Gateway; hit", (await node.GetAsync("/x", ("Foo", "1"))).CacheStatus(), StringComparison.Ordinal);
            Assert.StartsWith("Gateway; hit", (await node.GetAsync("/x", ("Foo", "64"))).CacheStatus(), StringComparison.Ordinal);
        }

        Assert.StartsWith("Gateway; fwd=vary-miss", (await B.GetAsync("/x", ("Foo", "0"))).CacheStatus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preferences_in_another_order_select_the_same_variant_where_the_policy_says_so()
    {
        await using var node = await CacheTestNode.StartAsync(Origin, Redis, new { NormalizeNegotiation = true });
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"), ("Vary", "Accept-Language"));
        foreach (var gateway in new[] { A, node })
        {
            await gateway.GetAsync("/x", ("Accept-Language", "de, en;q=0.5"));
            var other = await gateway.GetAsync("/x", ("Accept-Language", "EN;q=0.50, de"));
            Assert.Equal(gateway == node, other.CacheStatus().StartsWith("Gateway; hit", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("max-age=60", "no-store", true)]
    [InlineData("no-store", "max-age=60", false)]
    [InlineData("max-age=60, &&&", "no-store", false)]
    [InlineData("max-age=60, &&&", "max-age=60", true)]
    public async Task Targeted_directives_replace_the_general_ones_where_they_are_valid(string targeted, string general, bool isStored)
    {
        Origin.Map("/x", "body", ("CDN-Cache-Control", targeted), ("Cache-Control", general));

        Assert.Equal(isStored, (await A.GetAsync("/x")).CacheStatus().EndsWith("; stored", StringComparison.Ordinal));
        Assert.Equal(isStored, (await A.GetAsync("/x")).CacheStatus().StartsWith("Gateway; hit", StringComparison.Ordinal));
        Assert.Equal(isStored, (await B.GetAsync("/x")).CacheStatus().StartsWith("Gateway; hit", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fields_that_connection_names_and_fields_not_to_be_stored_go_no_further()
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60, no-cache=\"X-Secret\""), ("Connection", "X-Hop, Cache-Control"), ("X-Hop", "1"), ("X-Secret", "1"));

        var miss = await A.GetAsync("/x");
        Assert.False(miss.Headers.Contains("X-Hop"));
        Assert.True(miss.Headers.Contains("X-Secret"));
        var hit = await A.GetAsync("/x");
        Assert.StartsWith("Gateway; hit", hit.CacheStatus(), StringComparison.Ordinal);
        Assert.False(hit.Headers.Contains("X-Hop"));
        Assert.False(hit.Headers.Contains("X-Secret"));
    }

    private void MapGetThenHead(string headTag) => Origin.Map("/x", context =>
    {
        var isHead = HttpMethods.IsHead(context.Request.Method);
        var fields = context.Response.Headers;
        (fields.CacheControl, fields.ETag, fields["X-By"]) = ("max-age=60", isHead ? headTag : "\"1\"", isHead ? "head" : "get");
        if (isHead)
            return Task.CompletedTask;
        if (headTag == "\"1\"")
            fields.Age = "70";
        return context.Response.WriteAsync("body");
    });
}
