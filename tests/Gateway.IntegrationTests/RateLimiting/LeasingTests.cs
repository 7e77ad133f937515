using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class LeasingTests : LimitedNodes
{
    private const int Batch = 20;

    public static TheoryData<string, object> Limits => new()
    {
        { "FixedWindow", new { Name = "hot", PermitLimit = 1000, Window = "01:00:00", LeaseBatch = Batch } },
        { "Total", new { Name = "hot", Algorithm = "Total", PermitLimit = 1000, Until = "2080-01-01T00:00:00Z", LeaseBatch = Batch } },
    };

    [Theory]
    [MemberData(nameof(Limits))]
    public async Task Never_above_the_limit_and_short_by_at_most_nodes_times_batch(string algorithm, object limit)
    {
        GatewayNode[] nodes = [await StartAsync(limit), await StartAsync(limit), await StartAsync(limit), await StartAsync(limit)];
        await using var connection = await Redis.ConnectAsync();
        var before = await ScriptCallsAsync();

        Assert.InRange(await CountAdmittedAsync(nodes, 5000, 32), 1000 - (nodes.Length * Batch), 1000);

        // A call for a batch, and a few that are refused; the change log's own polls come on top.
        Assert.NotEmpty(algorithm);
        Assert.InRange(await ScriptCallsAsync() - before, 1000 / Batch, 600);
        await AssertKeysEndAsync();

        async Task<long> ScriptCallsAsync() => (await connection.GetServers()[0].InfoAsync("commandstats")).Single()
            .Where(line => line.Key is "cmdstat_evalsha" or "cmdstat_eval")
            .Sum(line => long.Parse(line.Value.Split("calls=")[1].Split(',')[0], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_node_does_not_use_it_gives_back(bool byStopping)
    {
        var limit = new { Name = "hot", PermitLimit = 30, Window = "01:00:00", LeaseBatch = Batch };
        var (a, b) = (await StartAsync(limit), await StartAsync(limit));
        Assert.Equal(200, await StatusAsync(a));
        if (byStopping)
            await a.StopAsync();

        await Eventually.TrueAsync(async () => (await UsedAsync(b))[0] == 1, "the rest of the batch is back");
        Assert.Equal(29, await CountAdmittedAsync([b], 40, 4));
    }

    [Fact]
    public async Task A_client_that_hangs_up_while_permits_are_lent_wastes_none()
    {
        await using var link = SlowLink.To(Redis.Port);
        var limit = new { Name = "hot", PermitLimit = 30, Window = "01:00:00", LeaseBatch = Batch };
        var (node, other) = (await StartWithAsync(Config(limit), link.ConnectionString), await StartAsync(limit));
        link.Delay = TimeSpan.FromMilliseconds(300);
        using var hangUp = new CancellationTokenSource();
        var sent = node.Public.GetAsync(new Uri("/x", UriKind.Relative), hangUp.Token);
        await Eventually.TrueAsync(async () => (await CounterKeysAsync()).Length == 1, "Redis has lent them");

        await hangUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sent);
        await Eventually.TrueAsync(async () => (await UsedAsync(other))[0] <= 1, "the rest of the batch is back");
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task A_batch_that_comes_after_the_deadline_is_not_lost()
    {
        await using var link = SlowLink.To(Redis.Port);
        var limit = new { Name = "hot", PermitLimit = 1000, Window = "01:00:00", LeaseBatch = Batch, WhenRedisIsDown = "Deny" };
        var node = await StartWithAsync(ConfigOf(new { Limits = new[] { limit } }, "00:00:00.200"), link.ConnectionString);
        var other = await StartAsync(limit);
        // Its script is known then.
        Assert.Equal(200, await StatusAsync(other));
        await Eventually.TrueAsync(async () => (await UsedAsync(other))[0] == 1, "the rest of its batch is back");

        link.Delay = TimeSpan.FromMilliseconds(400);
        Assert.Equal(503, await StatusAsync(node));
        var lent = await UsedAsync(other);
        Assert.Equal([1 + Batch], lent);
        link.Delay = TimeSpan.Zero;

        await Eventually.TrueAsync(async () => (await UsedAsync(other))[0] == 1, "all of the batch is back");
    }

    [Fact]
    public async Task Permits_of_a_window_that_is_over_are_void()
    {
        var node = await StartAsync(new { Name = "hot", PermitLimit = 10, Window = "00:00:00.500", LeaseBatch = 10 });
        Assert.Equal(200, await StatusAsync(node));

        // The next window begins with a lease of its own: the nine that were left are not added to its ten.
        await Eventually.TrueAsync(async () => (await CounterKeysAsync()).Length == 0, "the window ends");
        Assert.Equal(10, await CountAdmittedAsync([node], 10, 1));
        Assert.InRange((await UsedAsync(node))[0], 0, 10);
    }

    [Fact]
    public async Task Without_Redis_the_permits_a_node_holds_pass_and_then_the_limit_does_what_it_says()
    {
        var node = await StartAsync(new { Name = "hot", PermitLimit = 1000, Window = "01:00:00", LeaseBatch = Batch, WhenRedisIsDown = "Deny" });
        Assert.Equal(200, await StatusAsync(node));

        await Redis.KillAsync();
        var statuses = new List<int>();
        for (var i = 0; i < Batch; i++)
            statuses.Add(await StatusAsync(node));

        Assert.Equal(503, statuses[^1]);
        Assert.InRange(statuses.Count(status => status == 200), 0, Batch - 1);
    }
}
