using System.Diagnostics;
using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>A link with 100 visits, taken by 1,000 parallel requests to three nodes, while what Redis holds is lost in part.</summary>
public sealed class MaximumFaultTests
{
    private const int Maximum = 100;

    [Fact]
    public async Task A_maximum_is_not_passed_when_redis_is_killed_and_reads_its_log_again()
    {
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "everysec");

        await TakeAsync(redis.ConnectionString, async () => await redis.RestartAsync());
    }

    [Fact]
    public async Task A_maximum_is_not_passed_when_redis_is_set_back_to_an_older_snapshot()
    {
        await using var redis = await RedisServer.StartAsync();

        await TakeAsync(redis.ConnectionString, async () => await redis.RestartAsync(withSavedData: true), redis.SaveAsync);
    }

    [Fact]
    public async Task A_maximum_is_not_passed_when_a_replica_that_lagged_takes_over()
    {
        await using var redis = await RedisPair.StartAsync();

        await TakeAsync(redis.ConnectionString, redis.FailOverAsync, redis.ReplicatedAsync);
    }

    [Fact]
    public async Task A_maximum_is_not_passed_when_sentinels_fail_over()
    {
        await using var redis = await RedisSentinels.StartAsync();

        await TakeAsync(redis.ConnectionString, async () =>
        {
            await redis.KillPrimaryAsync();
            await redis.PromotedAsync();
        }, redis.ReplicatedAsync);
    }

    [Fact]
    public async Task A_replica_that_comes_and_goes_keeps_nobody_from_a_link_with_a_maximum()
    {
        await using var redis = await RedisPair.StartAsync();
        await using var node = await GatewayNode.StartAsync(new { ShortLinks = new { Enabled = true } }, redis.ConnectionString);
        await node.CreateAsync(new { slug = "many", target = LinkTestNode.Target, maxVisits = 1_000_000 });
        await Eventually.TrueAsync(async () => await FollowAsync() == HttpStatusCode.Found, "visits are admitted");

        await redis.KillReplicaAsync();
        await FollowForAsync(TimeSpan.FromSeconds(7));
        await redis.RestartReplicaAsync();
        await FollowForAsync(TimeSpan.FromSeconds(2));

        async Task FollowForAsync(TimeSpan time)
        {
            for (var since = Stopwatch.StartNew(); since.Elapsed < time;)
                Assert.Equal(HttpStatusCode.Found, await FollowAsync());
        }

        async Task<HttpStatusCode> FollowAsync()
        {
            using var answer = await node.FollowAsync("many");
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Visits_of_a_link_that_has_expired_are_written_back_too()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await LinkTestNode.StartAsync(redis);
        await node.CreateAsync(new { slug = "spring", target = LinkTestNode.Target, maxVisits = 5 });
        using (var answer = await node.FollowAsync("spring"))
            Assert.Equal(HttpStatusCode.Found, answer.StatusCode);

        await redis.ExecuteAsync("DEL", "gateway:link:{spring}:visits");
        await redis.ExecuteAsync("HSET", "gateway:link:{spring}", "expires", "1");
        await redis.SaveAsync();
        await redis.RestartAsync(withSavedData: true);

        await Eventually.TrueAsync(
            async () => $"{await redis.ExecuteAsync("GET", "gateway:link:{spring}:visits")}" == "1", "the visit is written back", TimeSpan.FromSeconds(10));
    }

    /// <param name="redis">Where to connect.</param>
    /// <param name="failAsync">The fault, made when some visits are taken.</param>
    /// <param name="saveAsync">Sees to it that the link outlives the fault.</param>
    private static async Task TakeAsync(string redis, Func<Task> failAsync, Func<Task>? saveAsync = null)
    {
        var nodes = new List<GatewayNode>();
        for (var i = 0; i < 3; i++)
        {
            nodes.Add(await GatewayNode.StartAsync(
                new { ShortLinks = new { Enabled = true, FlushInterval = "00:00:00.100", UnknownPerMinute = 0 }, Redis = new { Deadline = "00:00:02" } }, redis));
        }

        await nodes[0].CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = Maximum });
        if (saveAsync is not null)
            await saveAsync();

        var (redirects, asked) = (0, 0);
        using var failing = new SemaphoreSlim(0);
        var fault = Task.Run(async () =>
        {
            await failing.WaitAsync();
            await failAsync();
        });
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (i, cancellationToken) =>
        {
            // Most of the requests come while Redis is away or when it is back.
            if (Interlocked.Increment(ref asked) > 80)
                await fault.WaitAsync(cancellationToken);
            using var answer = await nodes[i % 3].Public.GetAsync("/s/few", cancellationToken);
            Assert.True(answer.StatusCode is HttpStatusCode.Found or HttpStatusCode.Gone or HttpStatusCode.ServiceUnavailable, $"{answer.StatusCode}");
            if (answer.StatusCode == HttpStatusCode.Found && Interlocked.Increment(ref redirects) == Maximum / 2)
                failing.Release();
        });

        // What is left can be taken when the nodes have told Redis what they know.
        await Eventually.TrueAsync(async () =>
        {
            var answers = await Task.WhenAll(nodes.Select(node => node.FollowAsync("few")));
            redirects += answers.Count(answer => answer.StatusCode == HttpStatusCode.Found);
            return answers.All(answer => answer.StatusCode == HttpStatusCode.Gone);
        }, "no visit is left", TimeSpan.FromSeconds(60));

        Assert.InRange(redirects, Maximum / 2, Maximum);
        foreach (var node in nodes)
        {
            Assert.Empty(node.Log.Exceptions);
            await node.DisposeAsync();
        }
    }
}
