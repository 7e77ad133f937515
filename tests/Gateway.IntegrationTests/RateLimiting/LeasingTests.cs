using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.RateLimiting.Leasing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

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
        await Eventually.TrueAsync(async () => (await CounterKeysAsync()).Length > 0, "Redis has lent them");

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
    public async Task When_the_window_ends_a_client_that_never_paused_passes_again()
    {
        var node = await StartAsync(new { Name = "hot", PermitLimit = 2, Window = "00:00:00.500", LeaseBatch = 2 });
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 429, "the limit is met");

        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "the next window has permits");
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

    [Fact]
    public async Task A_node_that_was_killed_costs_the_others_what_it_held_and_no_more()
    {
        var limit = new { Name = "hot", PermitLimit = 50, Window = "01:00:00", LeaseBatch = Batch };
        var stays = await StartAsync(limit);
        await using var dies = await ProcessNode.StartAsync(Config(limit), Redis.ConnectionString);
        var taken = 0;
        for (; taken < 3; taken++)
        {
            using var response = await dies.Public.GetAsync(new Uri("/x", UriKind.Relative));
            Assert.Equal(System.Net.HttpStatusCode.OK, response.StatusCode);
        }

        await dies.KillAsync();

        Assert.InRange(taken + await CountAdmittedAsync([stays], 100, 8), 50 - Batch, 50);
        Assert.Equal(50, (await UsedAsync(stays))[0]);
        await AssertKeysEndAsync();
    }

    [Fact]
    public async Task Permits_of_before_a_reset_are_not_given_back_by_a_node_that_has_not_heard_of_it()
    {
        var limit = new { Name = "hot", Algorithm = "Total", PermitLimit = 40, Until = "2080-01-01T00:00:00Z", LeaseBatch = Batch };
        var (node, unaware) = (await StartAsync(limit), await StartAsync(limit));
        Assert.Equal(200, await StatusAsync(unaware));
        await using var monitor = await RedisMonitor.StartAsync(Redis);
        await using var connection = await Redis.ConnectAsync();

        // What a reset does in Redis: the word of it has not reached the node that holds nineteen.
        await connection.GetDatabase().KeyDeleteAsync([.. (await CounterKeysAsync()).Select(key => (StackExchange.Redis.RedisKey)key)]);
        var admitted = await CountAdmittedAsync([node], 30, 4);
        await Eventually.TrueAsync(() => monitor.Lines.Any(line => line.Contains("\"-19\"", StringComparison.Ordinal)), "the other gives back what it held");

        Assert.Equal(40, admitted + await CountAdmittedAsync([node], 40, 4));
    }

    [Fact]
    public async Task A_reset_of_one_client_loses_no_permits_of_another()
    {
        var limit = new { Name = "hot", Algorithm = "Total", PermitLimit = 30, Until = "2080-01-01T00:00:00Z", LeaseBatch = Batch, By = new[] { "Header:X-Key" } };
        var (node, other) = (await StartAsync(limit), await StartAsync(limit));
        Assert.Equal(200, await StatusAsync(node, ("X-Key", "a")));
        Assert.Equal(200, await StatusAsync(other, ("X-Key", "a")));

        using var reset = await node.Admin.PostAsJsonAsync("/rate-limits/reset", new { policy = "api", identity = IdentityOf("b") });

        Assert.Equal(System.Net.HttpStatusCode.NoContent, reset.StatusCode);
        await Eventually.TrueAsync(async () => (await UsedAsync(node, IdentityOf("a")))[0] == 2, "both nodes gave back what they held");

        static Dictionary<string, string> IdentityOf(string key) => new() { ["Header:X-Key"] = key, ["ClientIp"] = "127.0.0.1" };
    }

    [Fact]
    public async Task After_a_reset_what_was_lent_before_is_not_handed_out_any_more()
    {
        var limit = new { Name = "hot", Algorithm = "Total", PermitLimit = 20, Until = "2080-01-01T00:00:00Z", LeaseBatch = Batch };
        var (node, other) = (await StartAsync(limit), await StartAsync(limit));
        Assert.Equal(200, await StatusAsync(node));

        using var reset = await node.Admin.PostAsJsonAsync("/rate-limits/reset", new { policy = "api" });

        Assert.Equal(20, await CountAdmittedAsync([other], 30, 1));
        Assert.Equal(429, await StatusAsync(node));
    }

    [Fact]
    public async Task A_reload_gives_back_what_was_lent_by_the_old_limit()
    {
        // The first batch holds all permits there are.
        var limit = new { Name = "hot", PermitLimit = Batch, Window = "01:00:00", LeaseBatch = Batch };
        var (node, other) = (await StartAsync(limit), await StartAsync(limit));
        Assert.Equal(200, await StatusAsync(node));

        await node.ReloadAsync(Config(limit with { LeaseBatch = Batch / 2 }));
        Assert.Equal(200, await StatusAsync(node));

        await Eventually.TrueAsync(async () => (await UsedAsync(other))[0] == 2, "the rests of both batches are back");
    }

    [Fact]
    public async Task A_total_whose_date_is_moved_lives_to_the_new_one()
    {
        const double SixtyYears = 60 * 365.0;
        var limit = new { Name = "hot", Algorithm = "Total", PermitLimit = 30, Until = "2080-01-01T00:00:00Z", LeaseBatch = Batch };
        var node = await StartAsync(limit);
        Assert.Equal(200, await StatusAsync(node));

        await node.ReloadAsync(Config(limit with { Until = "2090-01-01T00:00:00Z" }));
        Assert.Equal(200, await StatusAsync(node));

        await using var connection = await Redis.ConnectAsync();
        foreach (var key in await CounterKeysAsync())
            Assert.InRange((await connection.GetDatabase().KeyTimeToLiveAsync(key))!.Value.TotalDays, SixtyYears, 2 * SixtyYears);
    }

    [Fact]
    public async Task A_node_that_has_taken_too_long_to_stop_gives_back_all_the_same_and_takes_no_more_than_it_needs()
    {
        var limit = new { Name = "hot", PermitLimit = 30, Window = "01:00:00", LeaseBatch = Batch };
        var (node, other) = (await StartAsync(limit), await StartAsync(limit));
        Assert.Equal(200, await StatusAsync(node));

        await node.Services.GetServices<IHostedService>().OfType<LeasedPermits>().Single().StopAsync(new CancellationToken(canceled: true));
        Assert.Equal(1, (await UsedAsync(other))[0]);

        // A request that still runs then.
        Assert.Equal(200, await StatusAsync(node));
        Assert.Equal(2, (await UsedAsync(other))[0]);
    }

    [Fact]
    public async Task The_embedded_server_lends_and_takes_back_too()
    {
        await using var node = await GatewayNode.StartAsync(Config(new { Name = "hot", PermitLimit = 30, Window = "01:00:00", LeaseBatch = Batch }));
        Assert.Equal(200, await StatusAsync(node));

        await Eventually.TrueAsync(async () => (await UsedAsync(node))[0] == 1, "the rest of the batch is back");
        Assert.Equal(29, await CountAdmittedAsync([node], 40, 4));
    }
}
