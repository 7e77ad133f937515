using Gateway.IntegrationTests.ChangeLog;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Chaos;

/// <summary>Where another server takes over what one held: no request fails, and all works soon after.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task Sentinels_put_the_replica_in_the_place_of_a_primary_that_was_killed()
    {
        await using var redis = await RedisSentinels.StartAsync();
        await using var world = await StorefrontWorld.StartAsync(redis.ConnectionString);
        await using var traffic = await Traffic.PrepareAsync(world);
        traffic.Start();
        await traffic.PassAsync();

        await redis.ReplicatedAsync();
        await redis.KillPrimaryAsync();
        await redis.PromotedAsync();
        await FullFunction.ReturnsAsync(world);
        await traffic.PassAsync();
        await traffic.StopAsync();

        traffic.AssertNoneFailed();
    }

    [Fact]
    public async Task A_node_that_starts_before_the_sentinels_finds_the_primary_when_they_come()
    {
        await using var redis = await RedisSentinels.StartAsync();
        await redis.KillSentinelsAsync();
        await using var node = await LogNode.StartAsync(redis.ConnectionString);
        Assert.False(node.Log.HasLease);

        await redis.RestartSentinelsAsync();

        await Eventually.TrueAsync(() => node.Log.HasLease, "the node reads the log", TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_replica_is_promoted_by_hand()
    {
        await using var redis = await RedisPair.StartAsync();
        await using var world = await StorefrontWorld.StartAsync(redis.ConnectionString);
        await using var traffic = await Traffic.PrepareAsync(world);
        traffic.Start();
        await traffic.PassAsync();

        await redis.FailOverAsync();
        await FullFunction.ReturnsAsync(world);
        await traffic.PassAsync();
        await traffic.StopAsync();

        traffic.AssertNoneFailed();
    }

    [Fact]
    public async Task The_slot_of_the_change_log_moves_to_another_master_of_a_cluster()
    {
        await using var redis = await RedisCluster.StartAsync();
        await using var world = await StorefrontWorld.StartAsync(redis.ConnectionString);
        await using var traffic = await Traffic.PrepareAsync(world);
        traffic.Start();
        await traffic.PassAsync();

        await redis.MoveSlotAsync("gateway:{changes}:meta", meanwhile: () => traffic.PassAsync());
        await FullFunction.ReturnsAsync(world);
        await traffic.PassAsync();
        await traffic.StopAsync();

        traffic.AssertNoneFailed();
    }
}
