using System.Net;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>What Redis keeps of visits stays within bounds, and each bound is reached here.</summary>
public sealed class BoundTests : IAsyncLifetime
{
    private const int MostDays = 400;

    private RedisServer _redis = null!;
    private ConnectionMultiplexer _connection = null!;

    private IDatabase Database => _connection.GetDatabase();

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _connection = await _redis.ConnectAsync();
    }

    public async Task DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Rankings_keep_the_links_followed_most_and_end_with_their_period()
    {
        var script = RedisScript.Load("ShortLinks/Visits/rank.lua");
        RedisKey[] rankings = ["hour", "day", "all"];
        var links = Enumerable.Range(1, 30).SelectMany(i => new RedisValue[] { $"n-{i}", i, 100 + i });

        await script.EvaluateAsync(Database, rankings, [10, 7200, 172_800, .. links]);

        foreach (var ranking in rankings)
            Assert.Equal(Enumerable.Range(21, 10).Select(i => (RedisValue)$"n-{i}"), await Database.SortedSetRangeByRankAsync(ranking));
        Assert.InRange((await Database.KeyTimeToLiveAsync("hour"))!.Value.TotalSeconds, 7000, 7200);
        Assert.InRange((await Database.KeyTimeToLiveAsync("day"))!.Value.TotalSeconds, 172_000, 172_800);
        Assert.Null(await Database.KeyTimeToLiveAsync("all"));

        // A total that comes late takes nothing back; visits add up.
        await script.EvaluateAsync(Database, rankings, [10, 7200, 172_800, "n-30", 5, 110]);
        Assert.Equal((35, 130), (await Database.SortedSetScoreAsync("day", "n-30"), await Database.SortedSetScoreAsync("all", "n-30")));
    }

    [Fact]
    public async Task The_links_followed_most_are_read_by_hour_too()
    {
        await using var node = await LinkTestNode.StartAsync(_redis);
        await node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        await Eventually.TrueAsync(async () =>
        {
            await node.FollowAsync("oak");
            await node.VisitsAsync("oak");
            // Not always at once: an hour may end between the two.
            return (await node.Admin.GetStringAsync("/top-links?period=hour")).StartsWith("{\"period\":\"hour\",\"links\":[{\"slug\":\"oak\"", StringComparison.Ordinal);
        }, "the link is ranked in this hour");
    }

    [Fact]
    public async Task Days_long_past_leave_the_statistics_of_a_link()
    {
        await using var node = await LinkTestNode.StartAsync(_redis);
        await node.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 5 });
        var today = (int)((DateTimeOffset)await _connection.GetServers()[0].TimeAsync()).Subtract(DateTimeOffset.UnixEpoch).TotalDays;
        const string key = "gateway:link:{few}:statistics";
        await Database.HashSetAsync(key, [.. Enumerable.Range(1, MostDays).Select(ago => new HashEntry($"d{today - ago}", 1)), new("days", MostDays)]);

        Assert.Equal(HttpStatusCode.Found, (await node.FollowAsync("few")).StatusCode);

        var days = (await (await node.Admin.GetAsync("/links/few/statistics")).JsonAsync()).GetProperty("days");
        Assert.InRange(days.GetArrayLength(), 364, 367);
        Assert.Equal(days.GetArrayLength(), (int)await Database.HashGetAsync(key, "days"));
    }

    [Fact]
    public async Task Nodes_silent_for_a_day_are_forgotten_of_a_link_and_others_are_not()
    {
        await using var node = await LinkTestNode.StartAsync(_redis);
        await node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        var now = ((DateTimeOffset)await _connection.GetServers()[0].TimeAsync()).ToUnixTimeSeconds();
        const string key = "gateway:link:{oak}:batches";
        await Database.HashSetAsync(key, [.. Enumerable.Range(0, 20).Select(i => new HashEntry($"node-{i}", $"7 {now - (i < 15 ? 90_000 : 80_000)}"))]);

        await node.FollowAsync("oak");
        Assert.Equal(1, await node.VisitsAsync("oak"));

        Assert.Equal(6, await Database.HashLengthAsync(key));
        Assert.True(await Database.HashExistsAsync(key, "node-15"));
        Assert.NotNull(await Database.KeyTimeToLiveAsync(key));
    }

    [Fact]
    public async Task What_a_node_knows_of_a_link_is_told_to_no_later_link_of_its_slug()
    {
        var script = RedisScript.Load("ShortLinks/Visits/statistics.lua", "ShortLinks/Visits/visit.lua");
        await Database.HashSetAsync("link", [new("id", "later"), new("max", 3)]);

        Assert.Equal("-4 0", await VisitAsync("earlier", known: 2));
        Assert.Equal("1 3", await VisitAsync("later", known: 2));
        Assert.Equal("0 3", await VisitAsync("later", known: 0));

        async Task<string> VisitAsync(string id, int known) =>
            string.Join(' ', ((RedisValue[]?)await script.EvaluateAsync(Database, ["link", "visits", "statistics"], [1, "(none)", id, known]))!);
    }

    [Fact]
    public async Task Guesses_of_many_clients_at_one_password_are_limited_together()
    {
        const int most = 200;
        var script = RedisScript.Load("ShortLinks/Passwords/guess.lua");
        var settle = RedisScript.Load("ShortLinks/Passwords/settle.lua");
        await Database.HashSetAsync("link", "id", "1");
        for (var i = 0; i < most; i++)
        {
            Assert.Equal(1, (int)(await GuessAsync($"client-{i}"))[0]);
            await settle.EvaluateAsync(Database, ["guesses"], [$"client-{i}", 1]);
        }

        var refused = await GuessAsync("another");

        Assert.Equal(0, (int)refused[0]);
        Assert.InRange((int)refused[1], 1, 900_000);
        Assert.InRange(await Database.HashLengthAsync("guesses"), most, most + 1);

        Task<RedisResult> GuessAsync(string client) => script.EvaluateAsync(Database, ["link", "guesses"], [client, 5, most, 900_000, 1]);
    }
}
