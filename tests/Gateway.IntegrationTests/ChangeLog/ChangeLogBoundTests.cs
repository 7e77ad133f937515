using Gateway.ChangeLog;
using Gateway.IntegrationTests.Caching;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.ChangeLog;

/// <summary>Each bound of the log, reached. The bound of its set is in <see cref="ChangeLogTests"/>.</summary>
public sealed class ChangeLogBoundTests
{
    private static readonly Selector Route = Selector.Route("r");

    [Fact]
    public async Task More_changes_than_can_wait_for_Redis_become_one_purge_of_the_route_that_reaches_all_nodes()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await using var b = await LogNode.StartAsync(redis.ConnectionString);
        await Eventually.TrueAsync(() => a.Log.HasLease && b.Log.HasLease, "both nodes have a lease");
        await redis.SaveAsync();
        var (beforeOnA, beforeOnB) = (a.Log.Stamp, b.Log.Stamp);
        await redis.KillAsync();

        for (var i = 0; i < AppliedChanges.MaxPending / SharedChangeLog.MaxBatch; i++)
            await a.Log.AppendOrQueueAsync(Tags(i), Route, default);
        Assert.Equal(AppliedChanges.MaxPending, a.Applied.PendingCount);
        Assert.Equal(ChangeVerdict.Current, a.Log.Check(beforeOnA, [Route]));

        for (var i = 0; i < 3; i++)
            await a.Log.AppendOrQueueAsync([.. Tags(100 + i).Skip(1), Tags(0)[0]], Route, default);
        Assert.Equal(AppliedChanges.MaxPending + 1, a.Applied.PendingCount);
        Assert.Equal(ChangeVerdict.Changed, a.Log.Check(beforeOnA, [Route]));

        await redis.RestartAsync(withSavedData: true);
        await Eventually.TrueAsync(() => b.Log.Check(beforeOnB, [Route]) == ChangeVerdict.Changed && b.Log.Check(beforeOnB, [Tags(9)[999]]) == ChangeVerdict.Changed,
            "all of them reach the other node");
        await Eventually.TrueAsync(() => a.Applied.PendingCount == 0, "nothing waits any more");
    }

    [Fact]
    public async Task An_unsafe_request_that_finds_too_many_changes_waiting_purges_its_route()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = await TestOrigin.StartAsync();
        origin.Map("/changed", "any").Map("/other", "any", ("Cache-Control", "max-age=60"));
        await using var node = await CacheTestNode.StartAsync(origin, redis);
        await node.GetAsync("/other");
        await redis.KillAsync();
        await node.SendAsync(HttpMethod.Put, "/changed");
        await node.GetAsync("/other");
        Assert.Equal(1, origin.Count("/other"));

        var log = node.Services.GetRequiredService<SharedChangeLog>();
        for (var i = 0; i < AppliedChanges.MaxPending / SharedChangeLog.MaxBatch; i++)
            await log.AppendOrQueueAsync(Tags(i), Route, default);
        await node.SendAsync(HttpMethod.Put, "/changed-too");
        await node.GetAsync("/other");
        Assert.Equal(1, origin.Count("/other"));
        origin.Map("/changed-too", "any");
        await node.SendAsync(HttpMethod.Put, "/changed-too");
        await node.GetAsync("/other");

        Assert.Equal(2, origin.Count("/other"));
    }

    [Fact]
    public async Task A_node_further_behind_than_the_records_reach_reads_the_set_and_keeps_its_epoch()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var link = SlowLink.To(redis.Port);
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await using var b = await LogNode.StartAsync(link.ConnectionString, "00:00:00.200");
        await a.Log.TryAppendAsync([Selector.Tag("known")], default);
        await Eventually.TrueAsync(() => b.Log.HasLease && b.Applied.Position.Number == 1, "the node is up to date");
        var before = b.Log.Stamp;

        // While the node hears nothing, the same thousand things change so often that its last record is trimmed.
        link.Delay = TimeSpan.FromSeconds(1);
        await Eventually.TrueAsync(() => !b.Redis.IsAvailable, "the node hears nothing");
        ChangeReceipt? receipt = null;
        for (var i = 0; i < 12; i++)
            receipt = await a.Log.TryAppendAsync(Tags(0), default);
        await using (var connection = await redis.ConnectAsync())
        {
            var oldest = await connection.GetDatabase().SortedSetRangeByRankWithScoresAsync("gateway:{changes}:records", 0, 0);
            Assert.True(oldest[0].Score > b.Applied.Position.Number + 1, "The records no longer reach back to where the node is.");
        }

        link.Delay = TimeSpan.Zero;

        await Eventually.TrueAsync(() => b.Applied.Position.Number == receipt!.Value.Number && b.Log.HasLease, "the node has caught up");
        Assert.Equal(before.Epoch, b.Log.Stamp.Epoch);
        Assert.Equal(ChangeVerdict.Changed, b.Log.Check(before, [Tags(0)[500]]));
        Assert.Equal(ChangeVerdict.Current, b.Log.Check(before, [Selector.Tag("known")]));
    }

    [Fact]
    public async Task A_waited_change_does_not_trust_an_emptied_Redis_to_know_the_nodes_that_hold_a_lease()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var link = SlowLink.To(redis.Port);
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await using var b = await LogNode.StartAsync(link.ConnectionString, "00:00:00.200");
        await Eventually.TrueAsync(() => a.Log.HasLease && b.Log.HasLease, "both nodes have a lease");
        var before = b.Log.Stamp;

        // The node that holds a lease cannot tell Redis again before its lease ends: not even its polls arrive.
        link.IsDown = true;
        link.Break();
        await using (var connection = await redis.ConnectAsync())
            await connection.GetServers()[0].ExecuteAsync("FLUSHALL");
        var receipt = await a.Log.TryAppendAsync([Route], default);
        var spread = await a.Log.WaitAsync(receipt!.Value, default);

        Assert.NotNull(spread);
        Assert.False(b.Log.HasLease && b.Log.Check(before, [Route]) == ChangeVerdict.Current, "The node still answers with what was changed.");
    }

    [Fact]
    public void Soft_changes_are_counted_and_forgotten_with_the_others()
    {
        var applied = new AppliedChanges();
        applied.Reset(epoch: 1, floor: 0);
        var before = applied.Stamp;
        applied.AppendAlone([Route.Soft()], maxSelectors: 2);
        Assert.Equal(ChangeVerdict.Stale, applied.Check(before, [Selector.All, Route]));
        Assert.Equal(ChangeVerdict.Current, applied.Check(applied.Stamp, [Route]));

        applied.AppendAlone([Route], maxSelectors: 2);
        Assert.Equal(ChangeVerdict.Changed, applied.Check(before, [Selector.All, Route]));

        applied.AppendAlone([Selector.All], maxSelectors: 2);
        Assert.Equal(ChangeVerdict.Unknown, applied.Check(before, [Route]));
    }

    private static Selector[] Tags(int batch) => [.. Enumerable.Range(0, SharedChangeLog.MaxBatch).Select(i => Selector.Tag($"{batch}-{i}"))];
}
