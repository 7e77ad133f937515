using System.Net;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Redis;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.ShortLinks;

public sealed class VisitTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private GatewayNode _a = null!;
    private GatewayNode _b = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _a = await LinkTestNode.StartAsync(_redis);
        _b = await LinkTestNode.StartAsync(_redis);
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
    }

    public async Task DisposeAsync()
    {
        Assert.Empty(_a.Log.Exceptions);
        Assert.Empty(_b.Log.Exceptions);
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Every_visit_is_counted_once_over_two_nodes()
    {
        const int visits = 2000;

        var answers = await FollowAsync("oak", visits);

        Assert.All(answers, status => Assert.Equal(HttpStatusCode.Found, status));
        await Eventually.TrueAsync(async () => await _a.VisitsAsync("oak") == visits, "all visits are counted");
        await _b.VisitsAsync("oak");
        Assert.Equal(visits, await _a.VisitsAsync("oak"));
    }

    [Fact]
    public async Task A_maximum_is_never_passed_by_parallel_requests_to_two_nodes()
    {
        const int maximum = 100;
        await _a.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = maximum });

        var answers = await FollowAsync("few", 300);

        Assert.Equal(maximum, answers.Count(status => status == HttpStatusCode.Found));
        Assert.Equal(200, answers.Count(status => status == HttpStatusCode.Gone));
        Assert.Equal(maximum, await _b.VisitsAsync("few"));
    }

    [Fact]
    public async Task Without_redis_known_links_go_on_and_their_visits_are_counted_when_it_is_back()
    {
        await _a.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 100 });
        await _a.FollowAsync("few");
        await FollowAsync("oak", 20);
        await Eventually.TrueAsync(async () => await _a.VisitsAsync("oak") == 20, "the first visits are counted");
        await _redis.SaveAsync();
        await _redis.KillAsync();

        Assert.All(await FollowAsync("oak", 300), status => Assert.Equal(HttpStatusCode.Found, status));
        foreach (var slug in new[] { "few", "unheard-of" })
        {
            var refused = await _a.FollowAsync(slug);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        await _redis.RestartAsync(withSavedData: true);
        await Eventually.TrueAsync(async () => await CountInRedisAsync("oak") == 320, "the visits made meanwhile are counted");
        await _a.VisitsAsync("oak");
        await _b.VisitsAsync("oak");
        Assert.Equal(320, await CountInRedisAsync("oak"));
    }

    [Fact]
    public async Task A_batch_that_redis_took_without_answering_is_not_counted_twice()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, deadline: "00:00:00.050");
        await Eventually.TrueAsync(async () => (await node.FollowAsync("oak")).StatusCode == HttpStatusCode.Found, "the link is known");
        await Eventually.TrueAsync(async () => await CountInRedisAsync("oak") == 1, "the visit is counted");

        var connection = node.Services.GetRequiredService<RedisConnection>();

        // The socket takes the batch while the server stands still; it is counted when that goes on, and sent again.
        for (var round = 1; round <= 3; round++)
        {
            _redis.Pause();
            for (var i = 0; i < 10; i++)
                await node.FollowAsync("oak");
            await Eventually.TrueAsync(() => !connection.IsAvailable, "the node notices that Redis does not answer");
            _redis.Resume();
            var expected = 1 + (10 * round);
            await Eventually.TrueAsync(async () => await CountInRedisAsync("oak") >= expected, "the visits are counted");
            await Eventually.TrueAsync(() => connection.IsAvailable, "the node notices that Redis answers");
        }

        await node.StopAsync();
        Assert.Equal(31, await CountInRedisAsync("oak"));
    }

    [Fact]
    public async Task A_node_that_stops_in_order_loses_no_visit()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, FlushInterval = "00:01:00" });
        for (var i = 0; i < 50; i++)
            await node.FollowAsync("oak");
        Assert.Equal(0, await CountInRedisAsync("oak"));

        await node.StopAsync();

        Assert.Equal(50, await CountInRedisAsync("oak"));
    }

    [Fact]
    public async Task A_node_that_stops_sends_what_came_after_a_batch_without_an_answer_too()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, FlushInterval = "00:01:00" });
        await FollowAsync(10);
        await _redis.SaveAsync();
        await _redis.KillAsync();
        // Reading makes the node send what waits.
        using (var unanswered = await node.Admin.GetAsync("/links/oak"))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, unanswered.StatusCode);
        await FollowAsync(5);
        await _redis.RestartAsync(withSavedData: true);

        await node.StopAsync();

        Assert.Equal(15, await CountInRedisAsync("oak"));

        async Task FollowAsync(int times)
        {
            for (var i = 0; i < times; i++)
                Assert.Equal(HttpStatusCode.Found, (await node.FollowAsync("oak")).StatusCode);
        }
    }

    [Fact]
    public async Task Visits_of_a_removed_link_do_not_count_for_a_later_one_of_its_slug_and_no_key_is_left()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, FlushInterval = "00:01:00" });
        await node.FollowAsync("oak");
        await _a.Admin.DeleteAsync("/links/oak");
        await using (var connection = await _redis.ConnectAsync())
            Assert.Empty(connection.GetServers()[0].Keys(pattern: "gateway:link*"));

        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        await node.StopAsync();

        Assert.Equal(0, await _a.VisitsAsync("oak"));
    }

    [Fact]
    public async Task The_links_followed_most_are_ranked_until_they_are_removed()
    {
        // One of each kind: counted by a script at once, and in memory first.
        await _a.CreateAsync(new { slug = "elm", target = LinkTestNode.Target, maxVisits = 30 });
        await FollowAsync("oak", 10);
        await FollowAsync("elm", 40);
        await _a.VisitsAsync("oak");
        await _b.VisitsAsync("oak");

        const string both = """[{"slug":"elm","visits":30},{"slug":"oak","visits":10}]""";
        Assert.Equal($$"""{"period":"all","links":{{both}}}""", await _b.Admin.GetStringAsync("/top-links?period=all"));
        // A new day may have begun meanwhile: then nothing is ranked in it.
        Assert.Contains(await _b.Admin.GetStringAsync("/top-links?period=day"), new[] { both, "[]" }.Select(links => $$"""{"period":"day","links":{{links}}}"""));

        await _b.Admin.DeleteAsync("/links/elm");
        Assert.Equal("""{"period":"all","links":[{"slug":"oak","visits":10}]}""", await _a.Admin.GetStringAsync("/top-links?period=all"));
        Assert.Equal("""{"period":"all","links":[{"slug":"oak","visits":10}]}""", await _a.Admin.GetStringAsync("/top-links?period=all&limit=1"));
    }

    [Fact]
    public async Task Visits_that_a_node_has_yet_to_rank_do_not_bring_a_removed_link_back_into_the_rankings()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, FlushInterval = "00:01:00" });
        await _a.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 9 });
        await node.FollowAsync("few");
        await _a.Admin.DeleteAsync("/links/few");
        await _a.Admin.DeleteAsync("/links/oak");

        await node.StopAsync();

        await using var connection = await _redis.ConnectAsync();
        Assert.Empty(connection.GetServers()[0].Keys(pattern: "*link*"));
    }

    [Fact]
    public async Task A_node_that_stops_in_order_ranks_the_links_with_a_maximum_too()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, FlushInterval = "00:01:00" });
        await _a.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 9 });
        await node.FollowAsync("few");

        await node.StopAsync();

        Assert.Equal("{\"period\":\"all\",\"links\":[{\"slug\":\"few\",\"visits\":1}]}", await _a.Admin.GetStringAsync("/top-links?period=all"));
    }

    [Fact]
    public async Task No_visit_is_lost_that_was_answered_while_a_node_stops()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, FlushInterval = "00:00:10" });
        await node.FollowAsync("oak");
        var (followed, isOver) = (1L, false);
        var following = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref isOver))
            {
                try
                {
                    using var answer = await node.Public.GetAsync("/s/oak");
                    if (answer.StatusCode == HttpStatusCode.Found)
                        Interlocked.Increment(ref followed);
                }
                catch (HttpRequestException)
                {
                    // It takes no connections any more.
                }
            }
        })).ToList();
        await Eventually.TrueAsync(() => Interlocked.Read(ref followed) > 200, "visitors come");

        await node.StopAsync();

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(following);
        // A visit whose answer was cut off is counted, too.
        Assert.InRange(await CountInRedisAsync("oak"), followed, followed + 8);
    }

    private async Task<HttpStatusCode[]> FollowAsync(string slug, int times)
    {
        var answers = new HttpStatusCode[times];
        await Parallel.ForEachAsync(Enumerable.Range(0, times), new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, cancellationToken) =>
        {
            using var answer = await (i % 2 == 0 ? _a : _b).Public.GetAsync($"/s/{slug}", cancellationToken);
            answers[i] = answer.StatusCode;
        });
        return answers;
    }

    private async Task<long> CountInRedisAsync(string slug)
    {
        await using var connection = await _redis.ConnectAsync();
        return (long)await connection.GetDatabase().StringGetAsync($"gateway:link:{{{slug}}}:visits");
    }
}
