using StackExchange.Redis;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A primary, a replica, and three sentinels that put the replica in the primary's place when that is lost.</summary>
internal sealed class RedisSentinels : IAsyncDisposable
{
    private const string Service = "gateway";

    private readonly List<RedisServer> _servers = [];
    private readonly List<RedisServer> _sentinels = [];

    public string ConnectionString => $"{string.Join(',', _sentinels.Select(sentinel => sentinel.ConnectionString))},serviceName={Service}";

    public static async Task<RedisSentinels> StartAsync()
    {
        var all = new RedisSentinels();
        var primary = await RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
        all._servers.Add(primary);
        all._servers.Add(await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {primary.Port}"));
        for (var i = 0; i < 3; i++)
        {
            all._sentinels.Add(await RedisServer.StartSentinelAsync(
                $"sentinel monitor {Service} 127.0.0.1 {primary.Port} 2", $"sentinel down-after-milliseconds {Service} 1000", $"sentinel failover-timeout {Service} 5000"));
        }

        await Eventually.TrueAsync(all.KnowEachOtherAsync, "the sentinels know each other and the replica", TimeSpan.FromSeconds(30));
        return all;
    }

    /// <summary>Waits until the replica has what was written so far.</summary>
    public Task ReplicatedAsync() => Eventually.TrueAsync(
        async () => (int)await _servers[0].ExecuteAsync("WAIT", 1, 1000) == 1, "the replica has what the primary has", TimeSpan.FromSeconds(30));

    public Task KillPrimaryAsync() => _servers[0].KillAsync();

    public Task KillSentinelsAsync() => Task.WhenAll(_sentinels.Select(sentinel => sentinel.KillAsync()));

    /// <summary>Starts them again with what they learned.</summary>
    public Task RestartSentinelsAsync() => Task.WhenAll(_sentinels.Select(sentinel => sentinel.RestartAsync()));

    /// <summary>Waits until the replica is the primary.</summary>
    public Task PromotedAsync() => Eventually.TrueAsync(IsPromotedAsync, "the replica is promoted", TimeSpan.FromSeconds(30));

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _sentinels.Concat(_servers))
            await server.DisposeAsync();
    }

    private async Task<bool> IsPromotedAsync()
    {
        try
        {
            return $"{await _servers[1].ExecuteAsync("INFO", "replication")}".Contains("role:master", StringComparison.Ordinal);
        }
        catch (RedisException)
        {
            // It closes all connections when it is promoted.
            return false;
        }
    }

    private async Task<bool> KnowEachOtherAsync()
    {
        foreach (var sentinel in _sentinels)
        {
            var info = $"{await sentinel.ExecuteAsync("INFO", "sentinel")}";
            if (!info.Contains("status=ok", StringComparison.Ordinal) || !info.Contains("slaves=1,sentinels=3", StringComparison.Ordinal))
                return false;
        }

        return true;
    }
}
