using System.Net;
using System.Net.Http.Json;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>Links on Redis Cluster: three masters, each with a third of the slots.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private const int Slots = 16384;
    private readonly List<RedisServer> _servers = [];

    public async Task InitializeAsync()
    {
        var busPorts = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            busPorts.Add(FreePort.Next());
            _servers.Add(await RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-port", $"{busPorts[i]}", "--cluster-node-timeout", "2000"));
        }

        for (var i = 0; i < 3; i++)
        {
            await using var connection = await _servers[i].ConnectAsync();
            var server = connection.GetServers()[0];
            await server.ExecuteAsync("CLUSTER", "ADDSLOTSRANGE", Slots * i / 3, (Slots * (i + 1) / 3) - 1);
            if (i > 0)
                await server.ExecuteAsync("CLUSTER", "MEET", "127.0.0.1", _servers[0].Port, busPorts[0]);
        }

        foreach (var server in _servers)
            await Eventually.TrueAsync(() => IsReadyAsync(server), "the cluster is whole", TimeSpan.FromSeconds(30));
    }

    public async Task DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    [Fact]
    public async Task Links_live_on_all_masters_and_nothing_is_left_of_them()
    {
        var configuration = string.Join(',', _servers.Select(server => server.ConnectionString));
        await using var node = await GatewayNode.StartAsync(
            new { ShortLinks = new { Enabled = true, FlushInterval = "00:00:00.100", PasswordAttempts = 1 }, Redis = new { Configuration = configuration, Deadline = "00:00:05" } });
        await Eventually.TrueAsync(async () => (await node.Admin.GetAsync("/links")).StatusCode == HttpStatusCode.OK, "the node reaches the cluster");
        var slugs = Enumerable.Range(0, 30).Select(i => $"oak-{i}").ToList();
        var text = string.Concat(slugs.Select(slug => $$"""{"slug":"{{slug}}","target":"https://shop.example/","tags":["bulk"]}""" + "\n"));
        using var import = new StringContent(text, Encoding.UTF8, "application/jsonl");

        Assert.Contains("\"created\":30", await (await node.Admin.PostAsync("/import-links", import)).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Created, (await node.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 1, password = "open sesame" }, "key")).StatusCode);
        foreach (var slug in slugs)
            Assert.Equal(HttpStatusCode.Found, (await node.FollowAsync(slug)).StatusCode);
        foreach (var expected in new[] { HttpStatusCode.SeeOther, HttpStatusCode.Gone })
        {
            using var form = new FormUrlEncodedContent([new("password", "open sesame")]);
            Assert.Equal(expected, (await node.Public.PostAsync("/s/few", form)).StatusCode);
        }

        Assert.Equal(1, await node.VisitsAsync("oak-7"));
        Assert.Equal(1, (await (await node.Admin.GetAsync("/links/oak-7/statistics")).JsonAsync()).GetProperty("days")[0].GetProperty("visits").GetInt64());
        Assert.Equal(30, (await (await node.Admin.GetAsync("/links?tag=bulk&prefix=oak")).JsonAsync()).GetProperty("links").GetArrayLength());
        Assert.Equal(31, (await (await node.Admin.GetAsync("/top-links?period=all&limit=100")).JsonAsync()).GetProperty("links").GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, (await node.Admin.PutAsJsonAsync("/links/oak-7", new { target = "https://shop.example/2" })).StatusCode);
        Assert.All(await CountKeysAsync(), keys => Assert.True(keys > 0));

        foreach (var slug in slugs.Append("few"))
            Assert.Equal(HttpStatusCode.NoContent, (await node.Admin.DeleteAsync($"/links/{slug}")).StatusCode);
        Assert.All(await CountKeysAsync(), keys => Assert.Equal(0, keys));
        Assert.Empty(node.Log.Exceptions);
    }

    private static async Task<bool> IsReadyAsync(RedisServer server)
    {
        await using var connection = await server.ConnectAsync();
        var info = (string?)await connection.GetServers()[0].ExecuteAsync("CLUSTER", "INFO") ?? "";
        return info.Contains("cluster_state:ok", StringComparison.Ordinal) && info.Contains("cluster_known_nodes:3", StringComparison.Ordinal);
    }

    private async Task<List<int>> CountKeysAsync()
    {
        var counts = new List<int>();
        foreach (var server in _servers)
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync($"{server.ConnectionString},allowAdmin=true");
            var endpoint = connection.GetServer("127.0.0.1", server.Port);
            counts.Add(endpoint.Keys(pattern: "gateway:*link*").Count());
        }

        return counts;
    }
}
