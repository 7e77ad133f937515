using Gateway.ChangeLog;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ChangeLog;

public sealed class ChangeLogTests
{
    private static readonly Selector Tag = Selector.Tag("t");

    [Fact]
    public async Task A_change_reaches_the_other_node_and_makes_what_was_stored_before_unusable()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await using var b = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a, b);
        var before = b.Log.Stamp;

        var receipt = await a.Log.TryAppendAsync([Tag], default);
        Assert.Equal(ChangeVerdict.Changed, a.Log.Check(before, [Tag]));
        var spread = await a.Log.WaitAsync(receipt!.Value, default);

        Assert.Equal(new[] { a.Id, b.Id }.Order(), spread!.Applied.Order());
        Assert.Empty(spread.Silent);
        Assert.Empty(spread.Behind);
        Assert.Equal(ChangeVerdict.Changed, b.Log.Check(before, [Tag]));
        Assert.Equal(ChangeVerdict.Current, b.Log.Check(before, [Selector.Tag("other")]));
        Assert.Equal(ChangeVerdict.Current, b.Log.Check(b.Log.Stamp, [Tag]));
    }

    [Fact]
    public async Task The_embedded_server_runs_the_scripts_as_redis_does()
    {
        await using var a = await LogNode.StartAsync(redis: null);
        await WithLeaseAsync(a);
        var before = a.Log.Stamp;

        var receipt = await a.Log.TryAppendAsync([Tag, Selector.All], default);
        var spread = await a.Log.WaitAsync(receipt!.Value, default);

        Assert.Equal([a.Id], spread!.Applied);
        Assert.Equal(2, receipt.Value.Number);
        Assert.Equal(ChangeVerdict.Changed, a.Log.Check(before, [Tag]));
        Assert.Equal(2, a.Applied.Position.Number);
    }

    [Fact]
    public async Task Changes_are_found_by_the_poll_when_their_hint_is_lost()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a);
        var before = a.Log.Stamp;
        await using var connection = await redis.ConnectAsync();

        // What append.lua writes, without its PUBLISH.
        var database = connection.GetDatabase();
        var number = await database.HashIncrementAsync("gateway:{changes}:meta", "head");
        await database.SortedSetAddAsync("gateway:{changes}:records", "record", number);
        await database.SortedSetAddAsync("gateway:{changes}:selectors", Tag.Text, number);

        await Eventually.TrueAsync(() => a.Log.Check(before, [Tag]) == ChangeVerdict.Changed, "the poll finds the change");
    }

    [Fact]
    public async Task A_log_restarted_empty_begins_a_new_epoch()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a);
        await a.Log.TryAppendAsync([Tag], default);
        var before = a.Log.Stamp;
        var epochs = 0;
        a.Log.EpochChanged += () => Interlocked.Increment(ref epochs);

        await redis.RestartAsync();

        await Eventually.TrueAsync(() => a.Log.Stamp.Epoch != before.Epoch && a.Log.HasLease, "the node leases the new epoch");
        Assert.Equal(ChangeVerdict.Unknown, a.Log.Check(before, [Selector.Tag("other")]));
        await Eventually.TrueAsync(() => Volatile.Read(ref epochs) > 0, "those who keep copies are told");
        Assert.Equal(1, epochs);
    }

    [Fact]
    public async Task A_log_set_back_to_an_old_snapshot_begins_a_new_epoch_though_its_numbers_are_given_again()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a);
        await a.Log.TryAppendAsync([Selector.Tag("kept")], default);
        await redis.SaveAsync();
        var receipt = await a.Log.TryAppendAsync([Selector.Tag("lost")], default);
        await a.Log.WaitAsync(receipt!.Value, default);
        var before = a.Log.Stamp;

        await redis.KillAsync();
        await redis.RestartAsync(withSavedData: true);
        await using (var b = await LogNode.StartAsync(redis.ConnectionString))
            await b.Log.TryAppendAsync([Tag], default);

        await Eventually.TrueAsync(() => a.Log.Stamp.Epoch != before.Epoch, "the node notices");
        Assert.Equal(ChangeVerdict.Unknown, a.Log.Check(before, [Selector.Tag("other")]));
    }

    [Fact]
    public async Task A_log_set_back_twice_to_the_same_snapshot_does_not_bring_its_first_epoch_back()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a);
        await a.Log.TryAppendAsync([Selector.Tag("kept")], default);
        var before = a.Log.Stamp;
        await redis.SaveAsync();
        await a.Log.WaitAsync((await a.Log.TryAppendAsync([Tag], default))!.Value, default);

        for (var i = 0; i < 2; i++)
        {
            var epoch = a.Log.Stamp.Epoch;
            await redis.RestartAsync(withSavedData: true);
            await Eventually.TrueAsync(() => a.Log.Stamp.Epoch > epoch && a.Log.HasLease, "the node leases another epoch");
            Assert.Equal(ChangeVerdict.Unknown, a.Log.Check(before, [Tag]));
        }
    }

    [Fact]
    public async Task A_waited_change_that_the_log_lost_is_not_in_force_because_another_has_its_number()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a);
        var other = (await a.Log.TryAppendAsync([Tag], default))!.Value;

        Assert.Null(await a.Log.WaitAsync(other with { RecordId = "lost with the server that had it" }, default));
        Assert.NotNull(await a.Log.WaitAsync(other, default));
    }

    [Fact]
    public async Task A_change_that_begins_a_new_epoch_puts_all_in_doubt_here_before_the_log_is_read()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a);
        await a.Log.TryAppendAsync([Selector.Tag("other")], default);
        var before = a.Log.Stamp;
        await redis.ExecuteAsync("FLUSHALL");

        await a.Log.TryAppendAsync([Tag], default);

        Assert.Equal(ChangeVerdict.Unknown, a.Log.Check(before, [Tag]));
        await Eventually.TrueAsync(() => a.Log.Check(a.Log.Stamp, [Tag]) == ChangeVerdict.Current && a.Log.Stamp.Number == 1, "the node has read the new log");
    }

    [Fact]
    public async Task Changes_made_while_redis_is_away_are_in_force_here_at_once_and_written_when_it_returns()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await using var b = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a, b);
        await redis.SaveAsync();
        var beforeOnA = a.Log.Stamp;
        var beforeOnB = b.Log.Stamp;
        await redis.KillAsync();

        Assert.Null(await a.Log.TryAppendAsync([Tag], default));
        await a.Log.AppendOrQueueAsync([Tag], Selector.Route("r"), default);
        Assert.Equal(ChangeVerdict.Changed, a.Log.Check(beforeOnA, [Tag]));
        Assert.Equal(ChangeVerdict.Current, a.Log.Check(a.Log.Stamp, [Tag]));

        await redis.RestartAsync(withSavedData: true);
        await Eventually.TrueAsync(() => b.Log.Check(beforeOnB, [Tag]) == ChangeVerdict.Changed, "the change reaches the other node");
        Assert.Equal(0, a.Applied.PendingCount);
    }

    [Fact]
    public async Task The_lease_runs_out_while_redis_does_not_answer_and_returns_with_it()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString, "00:00:00.200");
        await WithLeaseAsync(a);

        redis.Pause();
        await Eventually.TrueAsync(() => !a.Log.HasLease, "the lease runs out", TimeSpan.FromSeconds(4));
        await Eventually.TrueAsync(() => !a.Redis.IsAvailable, "the circuit opens");
        redis.Resume();

        await Eventually.TrueAsync(() => a.Log.HasLease && a.Redis.IsAvailable, "the lease returns", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_node_that_was_killed_is_named_silent_once_its_lease_has_run_out()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a);
        await using var connection = await redis.ConnectAsync();
        var time = (RedisTime: await connection.GetServers()[0].TimeAsync(), Since: TimeSpan.FromSeconds(1));
        await connection.GetDatabase().SortedSetAddAsync(
            "gateway:{changes}:nodes", "killed", new DateTimeOffset(time.RedisTime).ToUnixTimeMilliseconds() - time.Since.TotalMilliseconds);

        var receipt = await a.Log.TryAppendAsync([Tag], default);
        var spread = await a.Log.WaitAsync(receipt!.Value, default);

        Assert.Equal(["killed"], spread!.Silent);
        Assert.Equal([a.Id], spread.Applied);
    }

    [Fact]
    public async Task More_selectors_than_the_set_keeps_raise_the_floor_and_what_is_older_must_be_revalidated()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await LogNode.StartAsync(redis.ConnectionString);
        await using var b = await LogNode.StartAsync(redis.ConnectionString);
        await WithLeaseAsync(a, b);
        var before = b.Log.Stamp;

        ChangeReceipt? receipt = null;
        for (var i = 0; i < 101; i++)
            receipt = await a.Log.TryAppendAsync([.. Enumerable.Range(0, 1000).Select(j => Selector.Tag($"{i}-{j}"))], default);
        await Eventually.TrueAsync(() => b.Applied.Position.Number == receipt!.Value.Number, "the other node reads on in pages");

        Assert.Equal(ChangeVerdict.Unknown, b.Log.Check(before, [Tag]));
        Assert.True(b.Applied.Position.Floor > 10_000, $"The floor is {b.Applied.Position.Floor}.");
        Assert.Equal(ChangeVerdict.Current, b.Log.Check(b.Log.Stamp, [Tag]));
        await using var connection = await redis.ConnectAsync();
        Assert.InRange(await connection.GetDatabase().SortedSetLengthAsync("gateway:{changes}:selectors"), 1, 100_000);
        Assert.Equal(10_000, await connection.GetDatabase().SortedSetLengthAsync("gateway:{changes}:records"));
    }

    private static async Task WithLeaseAsync(params LogNode[] nodes)
    {
        foreach (var node in nodes)
            await Eventually.TrueAsync(() => node.Log.HasLease, "the node has a lease");
    }
}
