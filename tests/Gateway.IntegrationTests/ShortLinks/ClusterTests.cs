using System.Net;
using System.Net.Http.Json;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>Links on Redis Cluster: three masters, each with a third of the slots.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private RedisCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await RedisCluster.StartAsync();

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Links_live_on_all_masters_and_nothing_is_left_of_them()
    {
        await using var node = await GatewayNode.StartAsync(
            new { ShortLinks = new { Enabled = true, FlushInterval = "00:00:00.100", PasswordAttempts = 1 }, Redis = new { Configuration = _cluster.ConnectionString, Deadline = "00:00:05" } });
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
        Assert.All(await _cluster.KeysPerMasterAsync("gateway:*link*"), keys => Assert.True(keys > 0));

        foreach (var slug in slugs.Append("few"))
            Assert.Equal(HttpStatusCode.NoContent, (await node.Admin.DeleteAsync($"/links/{slug}")).StatusCode);
        Assert.All(await _cluster.KeysPerMasterAsync("gateway:*link*"), keys => Assert.Equal(0, keys));
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task Visits_are_written_back_to_the_masters_that_answer_while_one_is_away_and_to_that_when_it_returns()
    {
        await using var node = await GatewayNode.StartAsync(
            new { ShortLinks = new { Enabled = true }, Redis = new { Configuration = _cluster.ConnectionString, Deadline = "00:00:02" } });
        await Eventually.TrueAsync(async () => (await node.Admin.GetAsync("/links")).StatusCode == HttpStatusCode.OK, "the node reaches the cluster");
        var slugs = Enumerable.Range(0, 24).Select(i => $"few-{i}").ToList();
        foreach (var slug in slugs)
        {
            await node.CreateAsync(new { slug, target = LinkTestNode.Target, maxVisits = 3 });
            await Eventually.TrueAsync(async () => await StatusAsync(slug) == HttpStatusCode.Found, "a visit is admitted");
        }

        var away = await _cluster.MasterOfAsync(Visits(slugs[0]));
        var masters = await Task.WhenAll(slugs.Select(slug => _cluster.MasterOfAsync(Visits(slug))));
        string[] others = [.. slugs.Zip(masters).Where(link => link.Second != away).Select(link => link.First)];
        await using var connection = await ConnectionMultiplexer.ConnectAsync(_cluster.ConnectionString);
        var database = connection.GetDatabase();
        foreach (var slug in others)
            await database.KeyDeleteAsync(Visits(slug));
        var unknown = await SlugOfAsync(away);
        await away.KillAsync();

        foreach (var slug in others)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    // What clients ask of the master that is away opens the circuit for all of them, again and again.
                    await StatusAsync(unknown);
                    return await database.StringGetAsync(Visits(slug)) == 1;
                },
                "the visit is written back");
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await StatusAsync(others[0]));

        await away.RestartAsync();
        await Eventually.TrueAsync(async () => await StatusAsync(others[0]) == HttpStatusCode.Found, "visits are admitted again");
        Assert.Empty(node.Log.Exceptions);

        static string Visits(string slug) => $"gateway:link:{{{slug}}}:visits";

        async Task<string> SlugOfAsync(RedisServer master)
        {
            for (var i = 0; ; i++)
            {
                if (await _cluster.MasterOfAsync($"gateway:link:{{none-{i}}}") == master)
                    return $"none-{i}";
            }
        }

        async Task<HttpStatusCode> StatusAsync(string slug)
        {
            using var answer = await node.FollowAsync(slug);
            return answer.StatusCode;
        }
    }
}
