using System.Diagnostics;
using Gateway.IntegrationTests.ChangeLog;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Redis;

public sealed class RedisConnectionTests
{
    private static readonly RedisScript Script = RedisScript.Load("ChangeLog/nodes.lua");

    [Fact]
    public async Task A_paused_redis_costs_a_call_its_deadline_and_after_three_of_them_nothing()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString, deadline: "00:00:00.500");
        Assert.True((await PingAsync(node)).IsAnswered);
        redis.Pause();

        var calls = 0;
        for (; node.Redis.IsAvailable; calls++)
            Assert.False((await PingAsync(node)).IsAnswered);
        Assert.InRange(calls, 1, RedisCircuit.FailuresToOpen);

        var skipped = Stopwatch.StartNew();
        Assert.False((await PingAsync(node)).IsAnswered);
        Assert.True(skipped.Elapsed < TimeSpan.FromMilliseconds(400), $"A call took {skipped.Elapsed} while the circuit is open.");

        redis.Resume();
        await Eventually.TrueAsync(() => node.Redis.IsAvailable, "the circuit closes", TimeSpan.FromSeconds(5));
        Assert.True((await PingAsync(node)).IsAnswered);
    }

    [Fact]
    public async Task Fifty_milliseconds_of_latency_do_not_open_the_circuit()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var link = SlowLink.To(redis.Port);
        await using var node = await LogNode.StartAsync(link.ConnectionString, deadline: "00:00:00.200");
        link.Delay = TimeSpan.FromMilliseconds(50);

        for (var i = 0; i < 20; i++)
            Assert.True((await PingAsync(node)).IsAnswered);

        Assert.True(node.Redis.IsAvailable);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_made_anew()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var link = SlowLink.To(redis.Port);
        await using var node = await LogNode.StartAsync(link.ConnectionString);
        Assert.True((await PingAsync(node)).IsAnswered);

        link.Break();

        await Eventually.TrueAsync(async () => (await PingAsync(node)).IsAnswered, "calls are answered again", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_node_that_starts_without_redis_finds_it_when_it_comes()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.KillAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        Assert.False((await PingAsync(node)).IsAnswered);

        await redis.RestartAsync();

        await Eventually.TrueAsync(() => node.Log.HasLease, "the node reads the log", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Scripts_run_on_a_server_that_was_restarted_and_forgot_them()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        Assert.NotNull(await node.Log.ReadNodesAsync(default));
        await using (var connection = await redis.ConnectAsync())
            await connection.GetServers()[0].ScriptFlushAsync();

        Assert.NotNull(await node.Log.ReadNodesAsync(default));
    }

    [Fact]
    public async Task A_call_that_redis_refuses_is_unanswered_and_does_not_open_the_circuit()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);

        for (var i = 0; i < RedisCircuit.FailuresToOpen + 1; i++)
        {
            var reply = await node.Redis.TryAsync(database => Script.EvaluateAsync(database, ["a"], []), default);
            Assert.False(reply.IsAnswered);
        }

        Assert.True(node.Redis.IsAvailable);
    }

    [Fact]
    public async Task A_cancelled_call_says_so_and_counts_as_no_failure()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        redis.Pause();
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await node.Redis.TryAsync(database => database.PingAsync(), cancellation.Token));
        redis.Resume();
    }

    [Fact]
    public async Task A_replica_that_is_away_interrupts_nothing_however_often_the_library_looks_for_it()
    {
        await using var redis = await RedisPair.StartAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        await Eventually.TrueAsync(() => node.Log.HasLease, "the node reads the log");
        var multiplexer = await node.Redis.ConnectAsync();
        var (lost, looks, interruptions) = (0, 0, 0);
        multiplexer.ConnectionFailed += (_, e) => Interlocked.Increment(ref lost);
        multiplexer.ConfigurationChanged += (_, _) => Interlocked.Increment(ref looks);
        node.Redis.Interrupted += () => Interlocked.Increment(ref interruptions);

        await redis.KillReplicaAsync();
        await Eventually.TrueAsync(() => Volatile.Read(ref lost) > 0, "the connection to the replica is lost");
        await multiplexer.ConfigureAsync();
        await Eventually.TrueAsync(() => Volatile.Read(ref looks) > 0, "the library has looked at the servers");

        Assert.Equal(0, interruptions);
    }

    [Fact]
    public async Task A_replica_that_answers_while_there_is_no_primary_does_not_close_the_circuit()
    {
        await using var redis = await RedisPair.StartAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        await Eventually.TrueAsync(() => node.Log.HasLease, "the node reads the log");
        var multiplexer = await node.Redis.ConnectAsync();
        await redis.Primary.KillAsync();
        await Eventually.TrueAsync(() => !node.Redis.IsAvailable, "the circuit opens");
        var restored = 0;
        node.Redis.Restored += () => Interlocked.Increment(ref restored);

        for (var asked = Stopwatch.StartNew(); asked.Elapsed < TimeSpan.FromMilliseconds(500);)
            await multiplexer.GetDatabase().PingAsync(CommandFlags.DemandReplica);

        Assert.Equal(0, restored);
        Assert.False(node.Redis.IsAvailable);
    }

    [Fact]
    public async Task A_primary_that_was_demoted_and_refuses_a_write_interrupts()
    {
        await using var other = await RedisServer.StartAsync();
        await using var redis = await RedisServer.StartAsync();
        // The library learns of the demotion by the refusal alone.
        await redis.ExecuteAsync("ACL", "SETUSER", "default", "-info", "-role");
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        await Eventually.TrueAsync(async () => (await PingAsync(node)).IsAnswered, "the node is connected");
        var interruptions = 0;
        node.Redis.Interrupted += () => Interlocked.Increment(ref interruptions);

        await redis.ExecuteAsync("REPLICAOF", "127.0.0.1", other.Port);
        var reply = await node.Redis.TryAsync(database => database.StringSetAsync("key", "value"), default);

        Assert.False(reply.IsAnswered);
        Assert.NotEqual(0, interruptions);
    }

    [Fact]
    public async Task A_promoted_replica_interrupts_before_an_answer_of_it_is_trusted()
    {
        await using var redis = await RedisPair.StartAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        var multiplexer = await node.Redis.ConnectAsync();
        await Eventually.TrueAsync(() => PrimaryCount() == 1, "the library knows the primary");
        node.Redis.NoticePrimaries();
        var interruptions = 0;
        node.Redis.Interrupted += () => Interlocked.Increment(ref interruptions);
        node.Redis.NoticePrimaries();
        Assert.Equal(0, interruptions);

        await redis.PromoteReplicaAsync();
        // Without a pause: the library says it a moment later.
        Assert.True(SpinWait.SpinUntil(() => PrimaryCount() == 2, TimeSpan.FromSeconds(5)), "The library did not find the promoted replica.");
        node.Redis.NoticePrimaries();

        Assert.Equal(1, interruptions);

        int PrimaryCount() => multiplexer.GetServers().Count(server => !server.IsReplica);
    }

    private static ValueTask<RedisReply<TimeSpan>> PingAsync(LogNode node) =>
        node.Redis.TryAsync(database => database.PingAsync(), default);
}
