using System.Net.Http.Json;
using Gateway.Caching.Fetch;
using Gateway.ChangeLog;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Caching;

public sealed class CollapsingTests : TwoNodeTests
{
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task Simultaneous_misses_on_two_nodes_make_one_request_to_the_origin()
    {
        MapHeld("/x", ("Cache-Control", "max-age=60"));

        var responses = Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? A : B).GetAsync("/x")).ToArray();
        await _arrived.Task;
        await AllWaitAsync(responses);
        _answer.SetResult();

        foreach (var response in await Task.WhenAll(responses))
            Assert.Equal("body", await response.TextAsync());
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task An_answer_for_one_is_not_given_to_those_who_waited_and_later_ones_do_not_wait()
    {
        var served = 0;
        Origin.Map("/x", async context =>
        {
            context.Response.Headers.CacheControl = "private";
            await context.Response.WriteAsync($"{Interlocked.Increment(ref served)}");
        });

        var bodies = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i => await (await (i % 2 == 0 ? A : B).GetAsync("/x")).TextAsync()));

        Assert.Equal(20, bodies.Distinct().Count());
        Assert.Equal(20, served);
    }

    [Fact]
    public async Task Followers_of_another_variant_get_their_own()
    {
        Origin.Map("/x", async context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.Vary = "Accept-Language";
            await context.Response.WriteAsync(context.Request.Headers.AcceptLanguage.ToString());
        });

        var requests = Enumerable.Range(0, 30).Select(async i =>
        {
            var language = (i % 3) switch { 0 => "de", 1 => "en", _ => "fr" };
            Assert.Equal(language, await (await (i % 2 == 0 ? A : B).GetAsync("/x", ("Accept-Language", language))).TextAsync());
        });
        await Task.WhenAll(requests);
    }

    [Fact]
    public async Task A_leader_that_hangs_up_does_not_take_the_response_from_the_others()
    {
        MapHeld("/x", ("Cache-Control", "max-age=60"));
        using var hangUp = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/x") { Headers = { Host = CacheTestNode.Host } };

        var leader = A.Public.SendAsync(request, hangUp.Token);
        await _arrived.Task;
        var followers = Enumerable.Range(0, 10).Select(_ => A.GetAsync("/x")).ToArray();
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);
        _answer.SetResult();

        foreach (var follower in await Task.WhenAll(followers))
            Assert.Equal("body", await follower.TextAsync());
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_fetch_whose_only_client_hung_up_goes_on_and_is_joined_or_found()
    {
        MapHeld("/x", ("Cache-Control", "max-age=60"));
        using var hangUp = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/x") { Headers = { Host = CacheTestNode.Host } };
        var leader = A.Public.SendAsync(request, hangUp.Token);
        await _arrived.Task;
        await hangUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leader);

        var later = A.GetAsync("/x");
        _answer.SetResult();
        var others = Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? A : B).GetAsync("/x"));

        foreach (var response in await Task.WhenAll([later, .. others]))
            Assert.Equal("body", await response.TextAsync());
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task When_the_fetch_fails_another_takes_it_over()
    {
        var requests = 0;
        Origin.Map("/x", async context =>
        {
            if (Interlocked.Increment(ref requests) == 1)
            {
                _arrived.SetResult();
                await _answer.Task;
                context.Abort();
                return;
            }

            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync("body");
        });

        var first = A.GetAsync("/x");
        await _arrived.Task;
        var others = Enumerable.Range(0, 10).Select(i => (i % 2 == 0 ? A : B).GetAsync("/x")).ToArray();
        _answer.SetResult();

        Assert.Equal(502, (int)(await first).StatusCode);
        foreach (var other in await Task.WhenAll(others))
            Assert.Equal("body", await other.TextAsync());
    }

    [Fact]
    public async Task A_lock_whose_holder_died_holds_others_for_three_seconds_at_most()
    {
        await using var connection = await Redis.ConnectAsync();
        MapHeld("/y", ("Cache-Control", "max-age=60"));
        var held = A.GetAsync("/y");
        await _arrived.Task;
        var lockKey = connection.GetServers()[0].Keys(pattern: "gateway:lock:*").Single();
        // What a killed node leaves behind: a lock that nobody extends or releases.
        await connection.GetDatabase().StringSetAsync(lockKey, "killed", TimeSpan.FromSeconds(3));

        var other = B.GetAsync("/y");
        _answer.SetResult();

        Assert.Equal("body", await (await held).TextAsync());
        Assert.Equal("body", await (await other.WaitAsync(TimeSpan.FromSeconds(5))).TextAsync());
    }

    [Fact]
    public async Task Each_variant_is_fetched_once_however_many_wait_for_the_first()
    {
        Origin.Map("/x", async context =>
        {
            _arrived.TrySetResult();
            await _answer.Task;
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.Vary = "Accept-Language";
            await context.Response.WriteAsync(context.Request.Headers.AcceptLanguage.ToString());
        });

        var responses = Enumerable.Range(0, 30).Select(i => A.GetAsync("/x", ("Accept-Language", LanguageOf(i)))).ToArray();
        await _arrived.Task;
        _answer.SetResult();

        for (var i = 0; i < responses.Length; i++)
            Assert.Equal(LanguageOf(i), await (await responses[i]).TextAsync());
        Assert.Equal(3, Origin.Count("/x"));

        static string LanguageOf(int i) => (i % 3) switch { 0 => "de", 1 => "en", _ => "fr" };
    }

    [Fact]
    public async Task Those_who_wait_for_what_a_tag_purge_names_fetch_anew_together()
    {
        MapVersions();

        var first = A.GetAsync("/x");
        await _arrived.Task;
        var purge = await A.Admin.PostAsync(new Uri("/cache/purge?wait=true", UriKind.Relative), JsonContent.Create(new { tags = new[] { "red" } }));
        Assert.True(purge.IsSuccessStatusCode, await purge.TextAsync());
        var later = Enumerable.Range(0, 20).Select(_ => A.GetAsync("/x")).ToArray();
        await FollowersAsync(A, 20);
        _answer.SetResult();

        Assert.Equal("version 1", await (await first).TextAsync());
        foreach (var response in later)
            Assert.Equal("version 2", await (await response).TextAsync());
        Assert.Equal(2, Origin.Count("/x"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Those_who_wait_for_what_is_purged_softly_or_lost_with_the_log_fetch_anew_together(bool isLost)
    {
        MapVersions();

        var first = A.GetAsync("/x");
        await _arrived.Task;
        var waiting = Enumerable.Range(0, 20).Select(_ => A.GetAsync("/x")).ToArray();
        await FollowersAsync(A, 20);
        var log = A.Services.GetRequiredService<SharedChangeLog>();
        var before = log.Stamp;
        if (isLost)
            await Redis.ExecuteAsync("FLUSHALL");
        else
            await A.Admin.PostAsync(new Uri("/cache/purge?wait=true", UriKind.Relative), JsonContent.Create(new { all = true, soft = true }));
        await Eventually.TrueAsync(() => log.Stamp != before, "the node knows");
        _answer.SetResult();

        Assert.Equal("version 1", await (await first).TextAsync());
        foreach (var response in waiting)
            Assert.StartsWith("version ", await (await response).TextAsync(), StringComparison.Ordinal);
        Assert.Equal(2, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_fetch_that_hangs_is_joined_by_one_of_those_who_wait_and_not_by_all()
    {
        await using var node = await CacheTestNode.StartAsync(Origin, Redis, new { CollapseWaitLimit = "00:00:02", Collapse = "Process" });
        var requests = 0;
        Origin.Map("/x", async context =>
        {
            if (Interlocked.Increment(ref requests) == 1)
            {
                _arrived.TrySetResult();
                await _answer.Task;
            }

            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync("body");
        });

        var first = node.GetAsync("/x");
        await _arrived.Task;
        foreach (var response in await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => node.GetAsync("/x"))))
            Assert.Equal("body", await response.TextAsync());

        Assert.Equal(2, requests);
        _answer.SetResult();
        Assert.Equal("body", await (await first).TextAsync());
    }

    [Fact]
    public async Task Whichever_of_two_fetches_is_answered_first_answers_all_who_wait()
    {
        await using var node = await CacheTestNode.StartAsync(Origin, Redis, new { CollapseWaitLimit = "00:00:02", Collapse = "Process" });
        var (requests, second) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Origin.Map("/x", async context =>
        {
            await (Interlocked.Increment(ref requests) == 1 ? _answer.Task : second.Task);
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync("body");
        });

        var responses = Enumerable.Range(0, 20).Select(_ => node.GetAsync("/x")).ToArray();
        await Eventually.TrueAsync(() => Volatile.Read(ref requests) == 2, "another fetch is made beside the one that hangs");
        _answer.SetResult();

        // All but the one whose own request hangs now.
        await Eventually.TrueAsync(() => responses.Count(response => response.IsCompleted) == 19, "the first answer is everybody's");
        second.SetResult();
        foreach (var response in await Task.WhenAll(responses))
            Assert.Equal("body", await response.TextAsync());
    }

    [Fact]
    public async Task One_more_than_may_wait_is_told_to_come_again()
    {
        await using var node = await GatewayNode.StartAsync(
            new { ReverseProxy = Origin.ProxySection(("OutputCachePolicy", "origin")), OutputCache = new { MaxWaitingRequests = 5 } }, Redis.ConnectionString);
        MapHeld("/x", ("Cache-Control", "max-age=60"));
        var leader = node.GetAsync("/x");
        await _arrived.Task;
        var waiting = Enumerable.Range(0, 5).Select(_ => node.GetAsync("/x")).ToArray();
        await FollowersAsync(node, 5);

        var refused = await node.GetAsync("/x");

        Assert.Equal(503, (int)refused.StatusCode);
        Assert.Equal("1", refused.Headers.RetryAfter?.ToString());
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
        Assert.Contains("too-many-waiting", refused.CacheStatus(), StringComparison.Ordinal);
        _answer.SetResult();
        foreach (var response in await Task.WhenAll([leader, .. waiting]))
            Assert.Equal("body", await response.TextAsync());
        Assert.Equal(1, Origin.Count("/x"));
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task After_an_answer_that_nobody_can_share_nobody_waits_for_another()
    {
        var requests = 0;
        Origin.Map("/x", async context =>
        {
            if (Interlocked.Increment(ref requests) > 1)
                await _answer.Task;
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsync("body");
        });
        await A.GetAsync("/x");

        var later = Enumerable.Range(0, 10).Select(_ => A.GetAsync("/x")).ToArray();

        await Eventually.TrueAsync(() => Origin.Count("/x") == 11, "each asks the origin at once");
        _answer.SetResult();
        await Task.WhenAll(later);
    }

    [Fact]
    public async Task Requests_with_credentials_neither_follow_nor_lead()
    {
        async Task AnswerAsync(HttpContext context)
        {
            await _answer.Task;
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync($"for {context.Request.Headers.Authorization}");
        }

        Origin.Map("/led", AnswerAsync).Map("/not-led", AnswerAsync);
        var anonymous = A.GetAsync("/led");
        await Eventually.TrueAsync(() => Origin.Count("/led") == 1, "one without credentials leads");
        var named = Enumerable.Range(0, 3).Select(i => A.GetAsync("/led", ("Authorization", $"Bearer {i}"))).ToArray();
        await Eventually.TrueAsync(() => Origin.Count("/led") == 4, "none with credentials follows it", TimeSpan.FromSeconds(5));
        var first = A.GetAsync("/not-led", ("Authorization", "Bearer x"));
        await Eventually.TrueAsync(() => Origin.Count("/not-led") == 1, "one with credentials is first");
        var second = A.GetAsync("/not-led");
        await Eventually.TrueAsync(() => Origin.Count("/not-led") == 2, "nobody follows it", TimeSpan.FromSeconds(5));
        _answer.SetResult();

        Assert.Equal("for ", await (await anonymous).TextAsync());
        for (var i = 0; i < named.Length; i++)
            Assert.Equal($"for Bearer {i}", await (await named[i]).TextAsync());
        Assert.Equal(("for Bearer x", "for "), (await (await first).TextAsync(), await (await second).TextAsync()));
    }

    private void MapHeld(string path, params (string Name, string Value)[] fields) => Origin.Map(path, async context =>
    {
        _arrived.TrySetResult();
        await _answer.Task;
        foreach (var (name, value) in fields)
            context.Response.Headers[name] = value;
        await context.Response.WriteAsync("body");
    });

    private static Task FollowersAsync(GatewayNode node, int count) => Eventually.TrueAsync(
        () => node.Services.GetRequiredService<FetchTable>().FollowersOf(_ => true) == count, "all follow");

    // Nobody is answered while the origin holds its answer, so all that can be seen is that nobody asked it again.
    private async Task AllWaitAsync(Task<HttpResponseMessage>[] responses)
    {
        await using var connection = await Redis.ConnectAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(connection.GetServers()[0].SubscriptionSubscriberCount(StackExchange.Redis.RedisChannel.Literal("gateway:fetch")) == 2),
            "both nodes reached the fetch lock");
        Assert.DoesNotContain(responses, response => response.IsCompleted);
    }

    // The first waits to be answered.
    private void MapVersions()
    {
        var versions = 0;
        Origin.Map("/x", async context =>
        {
            var version = Interlocked.Increment(ref versions);
            if (version == 1)
            {
                _arrived.TrySetResult();
                await _answer.Task;
            }

            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers["Surrogate-Key"] = "red";
            await context.Response.WriteAsync($"version {version}");
        });
    }
}
