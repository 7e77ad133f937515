using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Caching;

public sealed class PurgeTests : TwoNodeTests
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Origin.Map("/x", "x", ("Cache-Control", "max-age=60"), ("Surrogate-Key", "red blue"));
        Origin.Map("/y", "y", ("Cache-Control", "max-age=60"), ("Surrogate-Key", "green"));
        await Eventually.TrueAsync(HasBothNodesAsync, "both nodes are known");
    }

    [Theory]
    [InlineData("""{"url":"http://shop.example/x"}""", true, false)]
    [InlineData("""{"url":"http://SHOP.example:80/x"}""", true, false)]
    [InlineData("""{"url":"http://shop.example/%78"}""", true, false)]
    [InlineData("""{"urls":["http://shop.example/x","http://shop.example/y"]}""", true, true)]
    [InlineData("""{"tag":"red"}""", true, false)]
    [InlineData("""{"tags":["blue","green"]}""", true, true)]
    [InlineData("""{"route":"all"}""", true, true)]
    [InlineData("""{"all":true}""", true, true)]
    [InlineData("""{"prefix":"http://shop.example/x"}""", true, false)]
    [InlineData("""{"prefix":"http://shop.example/x/"}""", true, false)]
    [InlineData("""{"prefix":"http://shop.example"}""", true, true)]
    [InlineData("""{"prefixes":["http://SHOP.example:80/%78","http://shop.example/y"]}""", true, true)]
    [InlineData("""{"prefix":"http://shop.example/x/below"}""", false, false)]
    [InlineData("""{"prefix":"http://other.example/"}""", false, false)]
    [InlineData("""{"url":"http://shop.example/x?a=1"}""", false, false)]
    [InlineData("""{"url":"https://shop.example/x"}""", false, false)]
    [InlineData("""{"tag":"re"}""", false, false)]
    public async Task A_waited_purge_is_in_force_on_all_nodes_when_it_answers(string purge, bool purgesX, bool purgesY)
    {
        foreach (var node in new[] { A, B })
        {
            await node.GetAsync("/x");
            await node.GetAsync("/y");
        }

        var answer = await PurgeAsync(A, purge);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("applied").GetArrayLength());

        Assert.Equal(!purgesX, (await B.GetAsync("/x")).CacheStatus().Contains("; hit;", StringComparison.Ordinal));
        Assert.Equal(!purgesY, (await B.GetAsync("/y")).CacheStatus().Contains("; hit;", StringComparison.Ordinal));
        Assert.Contains("; hit;", (await B.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"url":"/x"}""")]
    [InlineData("""{"url":"ftp://shop.example/x"}""")]
    [InlineData("""{"prefix":"/x"}""")]
    [InlineData("""{"prefix":"http://shop.example/x?a"}""")]
    [InlineData("""{"prefix":"http://shop.example/1/2/3/4/5/6/7/8/9/10/11/12/13"}""")]
    [InlineData("""{"soft":true}""")]
    [InlineData("""{"tag":"a b"}""")]
    [InlineData("""{"tag":""}""")]
    [InlineData("""{"tags":"red"}""")]
    [InlineData("""not json""")]
    public async Task A_purge_that_names_nothing_is_refused_with_a_problem(string purge)
    {
        var answer = await PurgeAsync(A, purge);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Empty(A.Log.Exceptions);
    }

    [Fact]
    public async Task A_purge_without_redis_is_answered_503()
    {
        await Redis.KillAsync();

        var answer = await PurgeAsync(A, """{"all":true}""");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("/x?q=a|b")]
    [InlineData("/x?q={1}^`<>")]
    [InlineData("/x?q=%7e&%c3%a4=%")]
    [InlineData("/x?q=%zz%a")]
    [InlineData("/a\\b")]
    public async Task A_purge_of_the_text_that_clients_send_as_their_target_purges_it(string target)
    {
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"));
        Origin.Map("/a\\b", "body", ("Cache-Control", "max-age=60"));
        Assert.Contains("; stored", await A.RawGetAsync(target), StringComparison.Ordinal);
        Assert.Contains("; hit;", await A.RawGetAsync(target), StringComparison.Ordinal);

        using var purge = await PurgeAsync(B, System.Text.Json.JsonSerializer.Serialize(new { url = "http://shop.example" + target }));
        Assert.True(purge.IsSuccessStatusCode, await purge.TextAsync());

        Assert.Contains("; stored", await A.RawGetAsync(target), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"url":"http://shop.example/slow"}""")]
    [InlineData("""{"prefix":"http://shop.example/"}""")]
    [InlineData("""{"route":"all"}""")]
    [InlineData("""{"all":true}""")]
    public async Task A_response_fetched_before_a_purge_and_arriving_after_it_is_not_reused(string purge)
    {
        var arrived = new TaskCompletionSource();
        var answered = new TaskCompletionSource();
        var requests = 0;
        Origin.Map("/slow", async context =>
        {
            if (Interlocked.Increment(ref requests) == 1)
            {
                arrived.SetResult();
                await answered.Task;
            }

            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.Body.WriteAsync("body"u8.ToArray());
        });

        var old = A.GetAsync("/slow");
        await arrived.Task;
        await PurgeAsync(B, purge);
        // It does not join the fetch that is older than the purge, nor wait for its lock.
        var since = Stopwatch.StartNew();
        var fresh = await A.GetAsync("/slow");
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Contains("; stored", fresh.CacheStatus(), StringComparison.Ordinal);
        answered.SetResult();
        await old;

        Assert.Equal(2, requests);
        Assert.Contains("; hit;", (await A.GetAsync("/slow")).CacheStatus(), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> PurgeAsync(GatewayNode node, string json) =>
        node.Admin.PostAsync("/cache/purge?wait=true", new StringContent(json, System.Text.Encoding.UTF8, "application/json"));

    private async Task<bool> HasBothNodesAsync()
    {
        await using var connection = await Redis.ConnectAsync();
        return await connection.GetDatabase().SortedSetLengthAsync("gateway:{changes}:nodes") == 2;
    }
}
