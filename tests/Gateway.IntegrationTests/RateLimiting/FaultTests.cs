using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.RateLimiting.Local;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class FaultTests : LimitedNodes
{
    [Fact]
    public async Task Without_Redis_each_node_counts_its_share_of_a_local_limit()
    {
        var limit = new { Name = "one", PermitLimit = 20, Window = "01:00:00", WhenRedisIsDown = "Local" };
        GatewayNode[] nodes = [await StartAsync(limit), await StartAsync(limit)];
        foreach (var node in nodes)
            await Eventually.TrueAsync(() => node.Services.GetRequiredService<NodeShare>().Nodes == 2, "the nodes know each other");

        await Redis.KillAsync();

        // Each by itself: of requests for all, one node would take most while the other still finds out about Redis.
        foreach (var node in nodes)
            Assert.Equal(10, await CountAdmittedAsync([node], 30, 2));
        using var rejected = await nodes[0].SendAsync("/x");
        Assert.Equal(HttpStatusCode.TooManyRequests, rejected.StatusCode);
        Assert.NotNull(rejected.Headers.RetryAfter);
        Assert.All(nodes, node => Assert.Empty(node.Log.Exceptions));
    }

    [Fact]
    public async Task A_gateway_that_was_stopped_while_Redis_answered_takes_the_answers_all_the_same()
    {
        var limit = new { Name = "one", PermitLimit = 100, Window = "01:00:00", WhenRedisIsDown = "Deny" };
        await using var node = await ProcessNode.StartAsync(ConfigOf(new { Limits = new[] { limit } }, "00:00:00.600"), Redis.ConnectionString);
        using var before = await node.Public.GetAsync("/x");
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        Redis.Pause();
        var requests = Enumerable.Range(0, 16).Select(_ => node.Public.GetAsync("/x")).ToList();
        await PassAsync(TimeSpan.FromMilliseconds(150));
        node.Pause();
        Redis.Resume();
        // Longer than the deadline.
        await PassAsync(TimeSpan.FromMilliseconds(800));
        node.Resume();

        foreach (var request in requests)
        {
            using var response = await request;
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        static Task PassAsync(TimeSpan length)
        {
            var passed = Stopwatch.StartNew();
            return Eventually.TrueAsync(() => passed.Elapsed > length, "time passes");
        }
    }

    [Fact]
    public async Task A_total_is_not_given_away_uncounted()
    {
        var node = await StartAsync(new { Name = "first", Algorithm = "Total", PermitLimit = 100, Until = "2080-01-01T00:00:00Z" });
        Assert.Equal(200, await StatusAsync(node));

        await Redis.KillAsync();

        Assert.Equal(503, await StatusAsync(node));
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Theory]
    [InlineData("FixedWindow", "Window")]
    [InlineData("TokenBucket", "ReplenishmentPeriod")]
    public async Task A_cost_greater_than_the_limit_never_passes_without_Redis_either(string algorithm, string span)
    {
        var node = await StartAsync(new Dictionary<string, object>
        {
            ["Name"] = "one",
            ["Algorithm"] = algorithm,
            ["PermitLimit"] = 10,
            [span] = "01:00:00",
            ["CostFromRequest"] = "X-Cost",
            ["WhenRedisIsDown"] = "Local",
        });
        await Redis.KillAsync();

        using var rejected = await node.SendAsync("/x", ("X-Cost", "11"));

        Assert.Equal(HttpStatusCode.TooManyRequests, rejected.StatusCode);
        Assert.Null(rejected.Headers.RetryAfter);
        Assert.Equal(200, await StatusAsync(node, ("X-Cost", "10")));
        using var over = await node.SendAsync("/x", ("X-Cost", "5"));
        Assert.InRange(over.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(29), TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task A_client_over_its_limit_needs_no_Redis_to_be_refused()
    {
        var node = await StartAsync(new { Name = "one", PermitLimit = 1, Window = "01:00:00" });
        Assert.Equal(1, await CountAdmittedAsync([node], 2, 1));

        Redis.Pause();
        try
        {
            for (var i = 0; i < 20; i++)
                Assert.Equal(429, await StatusAsync(node));
        }
        finally
        {
            Redis.Resume();
        }
    }

    [Fact]
    public async Task A_client_over_several_limits_is_told_the_longest_wait_also_from_memory()
    {
        var node = await StartAsync(
            new { Name = "minute", PermitLimit = 1, Window = "00:01:00" }, new { Name = "hour", PermitLimit = 1, Window = "01:00:00" });
        Assert.Equal(200, await StatusAsync(node));

        for (var i = 0; i < 3; i++)
        {
            using var rejected = await node.SendAsync("/x");
            Assert.InRange(rejected.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(60));
            var problem = await rejected.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal(2, problem.GetProperty("violated-policies").GetArrayLength());
        }
    }

    [Fact]
    public async Task A_Redis_that_is_too_slow_is_one_that_is_away()
    {
        await using var link = SlowLink.To(Redis.Port);
        var config = ConfigOf(new { Limits = new[] { new { Name = "one", PermitLimit = 5, Window = "01:00:00", WhenRedisIsDown = "Deny" } } }, "00:00:00.200");
        var node = await StartWithAsync(config, link.ConnectionString);
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "Redis answers");

        link.Delay = TimeSpan.FromSeconds(1);
        Assert.Equal(503, await StatusAsync(node));
        link.Delay = TimeSpan.Zero;
        await Eventually.TrueAsync(async () => await StatusAsync(node) != 503, "Redis answers in time again");

        // What was answered 503 may have been counted, and was never tried again: nobody passes above the limit.
        await CountAdmittedAsync([node], 20, 2);
        Assert.InRange(Origin.Count("/x"), 1, 5);
    }

    [Fact]
    public async Task A_slow_Redis_within_the_deadline_counts_exactly()
    {
        await using var link = SlowLink.To(Redis.Port);
        link.Delay = TimeSpan.FromMilliseconds(50);
        var limit = new { Name = "one", PermitLimit = 30, Window = "01:00:00", WhenRedisIsDown = "Deny" };
        GatewayNode[] nodes = [await StartWithAsync(Config(limit), link.ConnectionString), await StartAsync(limit)];

        Assert.Equal(30, await CountAdmittedAsync(nodes, 90, 8));
    }

    [Fact]
    public async Task After_a_failover_the_replica_counts_on()
    {
        await using var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {Redis.Port}");
        var node = await StartWithAsync(
            Config(new { Name = "one", PermitLimit = 5, Window = "01:00:00", WhenRedisIsDown = "Deny" }),
            $"{Redis.ConnectionString},{replica.ConnectionString}");
        Assert.Equal(3, await CountAdmittedAsync([node], 3, 1));
        await using (var master = await Redis.ConnectAsync())
        {
            // Also what was counted before the replica had caught up.
            await Eventually.TrueAsync(async () => (int)await master.GetDatabase().ExecuteAsync("WAIT", 1, 1000) == 1, "the replica has everything");
        }

        await Redis.KillAsync();
        Assert.Equal(503, await StatusAsync(node));
        await using (var promoted = await replica.ConnectAsync())
            await promoted.GetServers()[0].ExecuteAsync("REPLICAOF", "NO", "ONE");

        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "the replica counts", TimeSpan.FromSeconds(20));
        Assert.Equal(1, await CountAdmittedAsync([node], 10, 1));
        Assert.Equal(5, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_Redis_that_returns_empty_counts_from_the_start_and_knows_the_script_again()
    {
        var node = await StartAsync(
            new { Name = "one", PermitLimit = 5, Window = "01:00:00", WhenRedisIsDown = "Deny" },
            new { Name = "two", Algorithm = "SlidingWindow", PermitLimit = 50, Window = "01:00:00", WhenRedisIsDown = "Deny" });
        Assert.Equal(4, await CountAdmittedAsync([node], 4, 1));

        await Redis.RestartAsync();
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "Redis counts");

        var used = await UsedAsync(node);
        Assert.Equal([1, 1], used);
        Assert.Equal(4, await CountAdmittedAsync([node], 10, 2));
        await AssertKeysEndAsync();
    }

    [Theory]
    [InlineData("FixedWindow", "Window")]
    [InlineData("SlidingWindow", "Window")]
    [InlineData("TokenBucket", "ReplenishmentPeriod")]
    public async Task A_node_whose_clock_is_wrong_by_5_seconds_counts_like_the_others(string algorithm, string span)
    {
        var limit = new Dictionary<string, object> { ["Name"] = "one", ["Algorithm"] = algorithm, ["PermitLimit"] = 10, [span] = "00:00:04" };
        var right = await StartAsync(limit);
        var wrong = await StartWithAsync(Config(limit), configure: builder =>
            builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(new WrongClock(TimeSpan.FromSeconds(5)))));

        // The bucket fills while the test runs; the windows do not, unless the machine stands still.
        Assert.InRange(await CountAdmittedAsync([right, wrong], 40, 2), 10, 16);
        using var rejected = await wrong.SendAsync("/x");
        if (rejected.StatusCode == HttpStatusCode.TooManyRequests)
            Assert.InRange(rejected.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        await Eventually.TrueAsync(async () => await StatusAsync(wrong) == 200, "permits come back in time", TimeSpan.FromSeconds(6));
    }

    [Fact]
    public async Task On_a_Redis_Cluster_each_client_has_its_slot_and_a_policy_of_several_identities_has_one()
    {
        await using var cluster = await RedisCluster.StartAsync();
        var one = new { Name = "one", PermitLimit = 10, Window = "01:00:00", By = new[] { "Header:X-Key" } };
        var two = new { Name = "two", Algorithm = "SlidingWindow", PermitLimit = 100, Window = "01:00:00", By = new[] { "Header:X-Key" } };
        var shared = new { Name = "all", PermitLimit = 60, Window = "01:00:00" };
        GatewayNode[] split = [await StartWithAsync(Config(one, two), cluster.ConnectionString), await StartWithAsync(Config(one, two), cluster.ConnectionString)];

        for (var client = 0; client < 8; client++)
            Assert.Equal(10, await CountAdmittedAsync(split, 20, 4, ("X-Key", $"client-{client}")));
        Assert.True((await cluster.KeysPerMasterAsync("gateway:limit:*")).Count(keys => keys > 0) > 1, "the clients are spread");

        await cluster.FlushAsync();
        var together = await StartWithAsync(Config(one, shared), cluster.ConnectionString);
        for (var client = 0; client < 8; client++)
            Assert.Equal(client < 6 ? 10 : 0, await CountAdmittedAsync([together], 12, 2, ("X-Key", $"other-{client}")));
        Assert.Equal(1, (await cluster.KeysPerMasterAsync("gateway:limit:*")).Count(keys => keys > 0));

        var leasing = await StartWithAsync(Config(new { Name = "hot", PermitLimit = 30, Window = "01:00:00", LeaseBatch = 20 }), cluster.ConnectionString);
        Assert.Equal(30, await CountAdmittedAsync([leasing], 40, 2));
        using var reset = await leasing.Admin.PostAsJsonAsync("/rate-limits/reset", new { policy = "api" });
        Assert.Equal(HttpStatusCode.NoContent, reset.StatusCode);
        Assert.Equal(30, await CountAdmittedAsync([leasing], 40, 2));
        Assert.Empty(together.Log.Exceptions);
    }

    private sealed class WrongClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
