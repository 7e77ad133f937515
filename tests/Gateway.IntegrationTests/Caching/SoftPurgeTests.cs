using System.Net;
using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

public sealed class SoftPurgeTests : TwoNodeTests
{
    [Fact]
    public async Task What_may_be_used_while_it_is_refreshed_is_served_stale_on_every_node_and_refreshed()
    {
        Origin.Map("/x", "x", ("Cache-Control", "max-age=600, stale-while-revalidate=600"), ("Surrogate-Key", "red"));
        Origin.Map("/y", "y", ("Cache-Control", "max-age=600, stale-while-revalidate=600"), ("Surrogate-Key", "green"));
        await FillAsync("/x", "/y");

        await PurgeAsync(new { tag = "red", soft = true });

        foreach (var node in new[] { A, B })
        {
            // Stale, or refreshed by the other node meanwhile: served from the store in any case.
            using var served = await node.GetAsync("/x");
            Assert.Contains("; hit;", served.CacheStatus(), StringComparison.Ordinal);
            await Eventually.TrueAsync(
                async () => (await node.GetAsync("/x")).CacheStatus() is var status && status.Contains("; hit", StringComparison.Ordinal)
                    && !status.Contains("detail", StringComparison.Ordinal),
                "the response is refreshed");
        }

        Assert.InRange(Origin.Count("/x"), 2, 3);
        Assert.Contains("; hit;", (await B.GetAsync("/y")).CacheStatus(), StringComparison.Ordinal);
        Assert.Equal(1, Origin.Count("/y"));
    }

    [Fact]
    public async Task The_first_answer_after_it_says_that_it_is_stale()
    {
        Origin.Map("/x", "x", ("Cache-Control", "max-age=600, stale-while-revalidate=600"));
        await FillAsync("/x");

        await PurgeAsync(new { prefix = "http://shop.example/", soft = true });

        Assert.Contains("detail=stale-while-revalidate", (await B.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Elsewhere_it_is_revalidated_before_it_is_used()
    {
        Origin.Map("/x", context =>
        {
            context.Response.Headers.CacheControl = "max-age=600";
            context.Response.Headers.ETag = "\"1\"";
            if (context.Request.Headers.IfNoneMatch != "\"1\"")
                return context.Response.WriteAsync("x");
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        });
        await FillAsync("/x");

        await PurgeAsync(new { url = "http://shop.example/x", soft = true });

        using var revalidated = await B.GetAsync("/x");
        Assert.Contains("fwd=stale; fwd-status=304", revalidated.CacheStatus(), StringComparison.Ordinal);
        Assert.Equal("x", await revalidated.TextAsync());
        Assert.Contains("; hit;", (await B.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, HttpStatusCode.OK)]
    [InlineData(false, HttpStatusCode.ServiceUnavailable)]
    public async Task What_was_purged_softly_stands_in_for_a_failing_origin_and_what_was_purged_hard_does_not(bool soft, HttpStatusCode expected)
    {
        Origin.Map("/x", "x", ("Cache-Control", "max-age=600, stale-if-error=600"));
        await FillAsync("/x");
        await PurgeAsync(new { route = "all", soft });
        Origin.Map("/x", context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        });

        Assert.Equal(expected, (await B.GetAsync("/x")).StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_soft_purge_does_not_cover_up_a_hard_one(bool hardFirst)
    {
        Origin.Map("/x", "x", ("Cache-Control", "max-age=600, stale-while-revalidate=600"), ("Surrogate-Key", "red"));
        await FillAsync("/x");

        await PurgeAsync(new { tag = "red", soft = !hardFirst });
        await PurgeAsync(new { tag = "red", soft = hardFirst });

        Assert.Contains("detail=invalidated", (await B.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    private async Task FillAsync(params string[] paths)
    {
        foreach (var path in paths)
        {
            await A.GetAsync(path);
            await Eventually.TrueAsync(
                async () => (await B.GetAsync(path)).CacheStatus().Contains("; hit;", StringComparison.Ordinal), "the other node has it too");
        }
    }

    private async Task PurgeAsync(object purge)
    {
        using var answer = await A.Admin.PostAsJsonAsync("/cache/purge?wait=true", purge);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
