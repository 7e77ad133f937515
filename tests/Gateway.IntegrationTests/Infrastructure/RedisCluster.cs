using StackExchange.Redis;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A real Redis Cluster: three masters on loopback that share the slots.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int Slots = 16384;

    private readonly List<RedisServer> _masters = [];

    public string ConnectionString => string.Join(',', _masters.Select(master => master.ConnectionString));

    public static async Task<RedisCluster> StartAsync()
    {
        var cluster = new RedisCluster();
        for (var i = 0; i < 3; i++)
        {
            // The bus port is by default the port + 10000, which may be none.
            cluster._masters.Add(await RedisServer.StartAsync(
                "--cluster-enabled", "yes", "--cluster-port", $"{FreePort.Next()}", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "5000",
                "--cluster-require-full-coverage", "no"));
        }

        await cluster.JoinAsync();
        return cluster;
    }

    /// <summary>How many keys of a pattern each master holds.</summary>
    public async Task<int[]> KeysPerMasterAsync(string pattern)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true");
        return [.. connection.GetServers().Select(server => server.Keys(pattern: pattern).Count())];
    }

    /// <summary>The master that has a key, or would have it, while no slot was moved.</summary>
    public async Task<RedisServer> MasterOfAsync(string key) => _masters[IndexOf((int)await _masters[0].ExecuteAsync("CLUSTER", "KEYSLOT", key))];

    /// <summary>Moves the slot of a key from its master to the next, key by key, as an operator's tool does.</summary>
    /// <param name="meanwhile">Called when half of its keys are there and half here.</param>
    public async Task MoveSlotAsync(string key, Func<Task>? meanwhile = null)
    {
        var slot = (int)await _masters[0].ExecuteAsync("CLUSTER", "KEYSLOT", key);
        var from = IndexOf(slot);
        var (source, target) = (_masters[from], _masters[(from + 1) % _masters.Count]);
        var (sourceId, targetId) = (await source.ExecuteAsync("CLUSTER", "MYID"), await target.ExecuteAsync("CLUSTER", "MYID"));
        await target.ExecuteAsync("CLUSTER", "SETSLOT", slot, "IMPORTING", $"{sourceId}");
        await source.ExecuteAsync("CLUSTER", "SETSLOT", slot, "MIGRATING", $"{targetId}");
        var half = (int)await source.ExecuteAsync("CLUSTER", "COUNTKEYSINSLOT", slot) / 2;
        for (var moved = 0; (RedisKey[])(await source.ExecuteAsync("CLUSTER", "GETKEYSINSLOT", slot, 1))! is [var next]; moved++)
        {
            if (moved == half && meanwhile is not null)
                await meanwhile();
            await source.ExecuteAsync("MIGRATE", "127.0.0.1", target.Port, next, 0, 5000);
        }

        // The new owner first: between the two it answers what the old one redirects.
        foreach (var master in new[] { target, source }.Concat(_masters.Except([source, target])))
            await master.ExecuteAsync("CLUSTER", "SETSLOT", slot, "NODE", $"{targetId}");
    }

    public async Task FlushAsync()
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"{ConnectionString},allowAdmin=true");
        foreach (var server in connection.GetServers())
            await server.FlushAllDatabasesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var master in _masters)
            await master.DisposeAsync();
    }

    private int IndexOf(int slot) => Enumerable.Range(0, _masters.Count).First(i => slot < Slots * (i + 1) / _masters.Count);

    private async Task JoinAsync()
    {
        var first = _masters[0];
        for (var i = 0; i < _masters.Count; i++)
        {
            var (from, to) = (Slots * i / _masters.Count, (Slots * (i + 1) / _masters.Count) - 1);
            await ExecuteAsync(_masters[i], "ADDSLOTSRANGE", from, to);
            await ExecuteAsync(_masters[i], "SET-CONFIG-EPOCH", i + 1);
        }

        foreach (var master in _masters.Skip(1))
        {
            var bus = int.Parse((await ExecuteAsync(first, "MYSELF")).Split('@')[1].Split([',', ' '])[0], System.Globalization.CultureInfo.InvariantCulture);
            await ExecuteAsync(master, "MEET", "127.0.0.1", first.Port, bus);
        }

        foreach (var master in _masters)
        {
            await Eventually.TrueAsync(async () =>
            {
                var info = await ExecuteAsync(master, "INFO");
                return info.Contains("cluster_state:ok", StringComparison.Ordinal) && info.Contains("cluster_known_nodes:3", StringComparison.Ordinal);
            }, "the cluster forms", TimeSpan.FromSeconds(30));
        }
    }

    private static async Task<string> ExecuteAsync(RedisServer server, string command, params object[] arguments)
    {
        // A connection of its own for each command: the library asks a server about its cluster when it connects.
        await using var connection = await server.ConnectAsync();
        var node = connection.GetServers()[0];
        if (command != "MYSELF")
            return (await node.ExecuteAsync("CLUSTER", [command, .. arguments])).ToString();
        var nodes = (await node.ExecuteAsync("CLUSTER", "NODES")).ToString();
        return nodes.Split('\n').Single(line => line.Contains("myself", StringComparison.Ordinal));
    }
}
