using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Chaos;

public sealed class RedisLossTests
{
    private static readonly TimeSpan PauseLength = TimeSpan.FromSeconds(10);

    public enum Loss
    {
        BackEmpty,
        BackWithAllData,
        BackWithAnOldSnapshot,
        PausedOnly,
    }

    [Theory]
    [InlineData(Loss.BackEmpty)]
    [InlineData(Loss.BackWithAllData)]
    [InlineData(Loss.BackWithAnOldSnapshot)]
    [InlineData(Loss.PausedOnly)]
    public async Task No_request_fails_while_Redis_is_away_and_everything_works_again_soon_after(Loss loss)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var world = await StorefrontWorld.StartAsync(redis.ConnectionString);
        await using var traffic = await Traffic.PrepareAsync(world, () => loss == Loss.BackWithAnOldSnapshot ? redis.SaveAsync() : Task.CompletedTask);

        traffic.Start();
        await traffic.PassAsync();
        if (loss == Loss.BackWithAllData)
            await redis.SaveAsync();
        await LoseAsync(redis, loss);
        await traffic.PassAsync(loss == Loss.PausedOnly ? PauseLength : null);
        traffic.LinksMayBeLost = loss == Loss.BackEmpty;
        await BringBackAsync(redis, loss);
        await FullFunction.ReturnsAsync(world);
        await traffic.PassAsync();
        await traffic.StopAsync();

        traffic.AssertNoneFailed();
    }

    [Fact]
    public async Task A_Redis_that_is_slow_by_50_ms_is_used_all_the_same()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var link = SlowLink.To(redis.Port);
        await using var world = await StorefrontWorld.StartAsync(link.ConnectionString);
        await using var traffic = await Traffic.PrepareAsync(world);

        link.Delay = TimeSpan.FromMilliseconds(50);
        traffic.Start();
        await traffic.PassAsync();
        await FullFunction.ReturnsAsync(world);
        await traffic.StopAsync();

        traffic.AssertNoneFailed();
        Assert.DoesNotContain(world.NodeA.Log.Events.Concat(world.NodeB.Log.Events), logged => logged.Id.Name == nameof(Gateway.Redis.RedisLog.Unavailable));
    }

    private static async Task LoseAsync(RedisServer redis, Loss loss)
    {
        if (loss == Loss.PausedOnly)
            redis.Pause();
        else
            await redis.KillAsync();
    }

    private static async Task BringBackAsync(RedisServer redis, Loss loss)
    {
        if (loss == Loss.PausedOnly)
            redis.Resume();
        else
            await redis.RestartAsync(withSavedData: loss != Loss.BackEmpty);
    }
}
