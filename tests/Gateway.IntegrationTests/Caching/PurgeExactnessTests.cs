using System.Diagnostics;
using System.Net.Http.Json;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Caching;

public sealed class PurgeExactnessTests
{
    private const int PurgesPerPhase = 40;

    private static readonly TimeSpan LongerThanALease = TimeSpan.FromSeconds(3);

    [Theory]
    [InlineData("Bypass")]
    [InlineData("Serve")]
    public async Task No_request_after_a_waited_purge_is_answered_with_something_older_whatever_happens_to_Redis(string whenChangesUnknown)
    {
        await using var world = await PurgeWorld.StartAsync(whenChangesUnknown);
        await using var admin = await world.Redis.ConnectAsync();
        var random = new Random(4);

        // Hints cut at random, a few times in each phase.
        var waited = await PurgeManyAsync(world, random, admin);
        await PauseOneLinkAsync(world, random, admin);
        waited += await PurgeManyAsync(world, random, admin);
        // Emptied, and nobody is told: the nodes go on until they poll.
        await admin.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
        await admin.GetServers()[0].ExecuteAsync("FLUSHALL");
        waited += await PurgeManyAsync(world, random, admin);
        await world.Redis.SaveAsync();
        waited += await PurgeManyAsync(world, random, admin);
        await world.Redis.RestartAsync(withSavedData: true);
        waited += await PurgeManyAsync(world, random, hints: null);
        foreach (var link in world.Links)
            link.Break();
        waited += await PurgeManyAsync(world, random, hints: null);
        await world.StopAsync();

        Assert.Empty(world.Failures.Take(10));
        if (whenChangesUnknown == "Bypass")
            Assert.Empty(world.TooOld.Take(10));
        // The run shows nothing unless most purges were waited for, and responses came from the cache.
        Assert.InRange(waited, PurgesPerPhase * 3, PurgesPerPhase * 6);
        Assert.InRange(world.Hits, world.Requests / 20, world.Requests);
    }

    [Fact]
    public async Task A_tag_on_many_entries_is_purged_as_fast_as_a_tag_on_one()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = await TestOrigin.StartAsync();
        await using var node = await CacheTestNode.StartAsync(origin, redis);
        var log = node.Services.GetRequiredService<SharedChangeLog>();
        var memory = node.Services.GetRequiredService<MemoryStore>();
        var many = Enumerable.Range(0, 50_000).Select(_ => Tagged("many", log.Stamp)).ToList();
        for (var i = 0; i < many.Count; i++)
            memory.Set($"key-{i}", many[i]);
        var one = Tagged("one", log.Stamp);
        memory.Set("key", one);

        await MedianAsync(node, "warm");
        var forOne = await MedianAsync(node, "one");
        var forMany = await MedianAsync(node, "many");

        Assert.True(forMany < (3 * forOne) + TimeSpan.FromMilliseconds(5), $"{forMany} for many entries, {forOne} for one.");
        Assert.Equal(ChangeVerdict.Changed, one.CheckAgainst(log));
        Assert.All(many, response => Assert.Equal(ChangeVerdict.Changed, response.CheckAgainst(log)));
    }

    private static async Task<int> PurgeManyAsync(PurgeWorld world, Random random, ConnectionMultiplexer? hints)
    {
        var waited = 0;
        for (var i = 0; i < PurgesPerPhase / 2; i++)
        {
            if (hints is not null && random.Next(8) == 0)
                await hints.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
            var both = await Task.WhenAll(world.PurgeAsync(random), world.PurgeAsync(random));
            waited += both.Count(wasWaitedFor => wasWaitedFor);
        }

        return waited;
    }

    // One node hears nothing of Redis for longer than its lease; purges made meanwhile wait for that lease to end.
    private static async Task PauseOneLinkAsync(PurgeWorld world, Random random, ConnectionMultiplexer hints)
    {
        var link = world.Links[random.Next(world.Links.Count)];
        link.Delay = LongerThanALease;
        await hints.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
        var paused = Stopwatch.StartNew();
        while (paused.Elapsed < LongerThanALease)
            await world.PurgeAsync(random);
        link.Delay = TimeSpan.Zero;
    }

    private static async Task<TimeSpan> MedianAsync(GatewayNode node, string tag)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < 21; i++)
        {
            var started = Stopwatch.StartNew();
            using var answer = await node.Admin.PostAsJsonAsync("/cache/purge", new { tag });
            times.Add(started.Elapsed);
            answer.EnsureSuccessStatusCode();
        }

        return times.Order().ElementAt(times.Count / 2);
    }

    private static StoredResponse Tagged(string tag, ChangeStamp stamp) => new()
    {
        Status = 200,
        Fields = [],
        Body = default,
        ResponseTime = DateTimeOffset.UnixEpoch,
        InitialAge = 0,
        FreshnessLifetime = 60,
        Stamp = stamp,
        Selectors = [Selector.All, Selector.Tag(tag)],
    };
}
