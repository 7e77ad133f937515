namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>Two redis-servers: a primary, and a replica that lags behind it and can take its place.</summary>
internal sealed class RedisPair : IAsyncDisposable
{
    private static readonly TimeSpan Lag = TimeSpan.FromMilliseconds(300);

    private readonly RedisServer _first;
    private readonly RedisServer _second;
    private SlowLink? _replication;

    private RedisPair(RedisServer first, RedisServer second)
    {
        (_first, _second) = (first, second);
        Primary = first;
    }

    public string ConnectionString => $"{_first.ConnectionString},{_second.ConnectionString}";

    public RedisServer Primary { get; private set; }

    private RedisServer Replica => ReferenceEquals(Primary, _first) ? _second : _first;

    public static async Task<RedisPair> StartAsync()
    {
        var pair = new RedisPair(await StartServerAsync(), await StartServerAsync());
        await pair.ReplicateAsync();
        return pair;

        // At once, instead of waiting for more replicas to come.
        static Task<RedisServer> StartServerAsync() => RedisServer.StartAsync("--repl-diskless-sync-delay", "0");
    }

    /// <summary>Kills the primary, promotes the replica as it is, and starts what was the primary as a replica of it.</summary>
    public async Task FailOverAsync()
    {
        var lost = Primary;
        await lost.KillAsync();
        await Replica.ExecuteAsync("REPLICAOF", "NO", "ONE");
        Primary = Replica;
        await RestartAsReplicaAsync(lost);
    }

    /// <summary>Promotes the replica as it is, beside the primary, which goes on.</summary>
    public Task PromoteReplicaAsync() => Replica.ExecuteAsync("REPLICAOF", "NO", "ONE");

    public Task KillReplicaAsync() => Replica.KillAsync();

    /// <summary>Starts the replica again as what it was.</summary>
    public Task RestartReplicaAsync() => RestartAsReplicaAsync(Replica);

    /// <summary>Waits until the replica has what was written so far.</summary>
    public async Task ReplicatedAsync()
    {
        var marker = Guid.NewGuid().ToString();
        await Primary.ExecuteAsync("SET", "replicated", marker);
        await Eventually.TrueAsync(async () => $"{await Replica.ExecuteAsync("GET", "replicated")}" == marker, "the replica has what the primary has");
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        if (_replication is not null)
            await _replication.DisposeAsync();
    }

    private async Task ReplicateAsync()
    {
        var link = await LinkToPrimaryAsync();
        await Replica.ExecuteAsync("REPLICAOF", "127.0.0.1", link.Port);
        await FilledAsync();
    }

    // What it is from its first moment: as a second primary, and empty, clients could take it for the right one.
    private async Task RestartAsReplicaAsync(RedisServer server)
    {
        var link = await LinkToPrimaryAsync();
        await server.RestartAsync(withSavedData: false, "--replicaof", "127.0.0.1", $"{link.Port}");
        await FilledAsync();
    }

    private async Task<SlowLink> LinkToPrimaryAsync()
    {
        if (_replication is not null)
            await _replication.DisposeAsync();
        _replication = SlowLink.To(Primary.Port);
        _replication.Delay = Lag;
        return _replication;
    }

    private Task FilledAsync() => Eventually.TrueAsync(
        async () => $"{await Replica.ExecuteAsync("INFO", "replication")}".Contains("master_link_status:up", StringComparison.Ordinal),
        "the replica has what the primary has", TimeSpan.FromSeconds(30));
}
