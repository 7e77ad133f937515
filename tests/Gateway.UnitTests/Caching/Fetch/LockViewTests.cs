using Gateway.Caching.Fetch;
using Gateway.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using RedLockNet.SERedis;
using RedLockNet.SERedis.Configuration;
using StackExchange.Redis;

namespace Gateway.UnitTests.Caching.Fetch;

public sealed class LockViewTests : IAsyncLifetime
{
    private ServiceProvider _services = null!;
    private RedisConnection _nowhere = null!;
    private IDatabase _database = null!;

    public Task InitializeAsync()
    {
        _services = new ServiceCollection()
            .AddMetrics()
            .AddSingleton<RedisMetrics>()
            .AddSingleton(static provider => new RedisConnection(
                "lock", null, TimeSpan.FromSeconds(1), TimeProvider.System, provider.GetRequiredService<RedisMetrics>(), NullLogger.Instance))
            .BuildServiceProvider();
        _nowhere = _services.GetRequiredService<RedisConnection>();
        _database = LockDatabase.Over(_nowhere);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public void A_member_that_RedLock_does_not_use_is_refused_by_its_name()
    {
        var connection = LockMultiplexer.Over(_nowhere);

        Assert.Contains("IConnectionMultiplexer.GetSubscriber", Assert.Throws<NotSupportedException>(() => connection.GetSubscriber()).Message, StringComparison.Ordinal);
        Assert.Contains("IDatabase.KeyDelete", Assert.Throws<NotSupportedException>(() => _database.KeyDelete("lock")).Message, StringComparison.Ordinal);
        Assert.Contains("IDatabase.StringSet ", Assert.Throws<NotSupportedException>(() => _database.StringSet("lock", "id")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_call_that_would_wait_for_the_release_of_a_lock_is_refused()
    {
        Assert.Throws<NotSupportedException>(() => _database.ScriptEvaluate("release", ["lock"], ["id"], CommandFlags.DemandMaster));
    }

    [Fact]
    public async Task A_lock_that_no_server_answers_for_is_not_acquired_and_counts_as_an_error()
    {
        using var factory = RedLockFactory.Create([new RedLockMultiplexer(LockMultiplexer.Over(_nowhere))], new RedLockRetryConfiguration(retryCount: 1));

        await using var attempt = await factory.CreateLockAsync("x", NodeLocks.Expiry);

        Assert.False(attempt.IsAcquired);
        Assert.Equal(1, attempt.InstanceSummary.Error);
    }

    [Fact]
    public void A_lock_that_was_never_asked_for_or_was_given_back_is_not_extended()
    {
        var answer = _database.ScriptEvaluate("extend", ["lock"], ["id", 2500], CommandFlags.DemandMaster);

        Assert.Equal(0, (int)answer);
    }

    [Fact]
    public async Task An_extension_that_failed_is_told_at_the_next_one()
    {
        await Assert.ThrowsAsync<RedisException>(
            () => _database.StringSetAsync("lock", "id", NodeLocks.Expiry, When.NotExists, CommandFlags.DemandMaster));

        Assert.Equal(1, Extend());
        Assert.Equal(0, Extend());

        int Extend() => (int)_database.ScriptEvaluate("extend", ["lock"], ["id", 2500], CommandFlags.DemandMaster);
    }
}
