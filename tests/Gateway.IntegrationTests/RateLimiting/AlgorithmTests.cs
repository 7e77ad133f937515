using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class AlgorithmTests : LimitedNodes
{
    private const string Until = "2080-01-01T00:00:00Z";

    /// <summary>Windows so long that none ends, and no permit comes back, while the test runs.</summary>
    public static TheoryData<string, object> Exact => new()
    {
        { "FixedWindow", new { Name = "one", PermitLimit = 1000, Window = "01:00:00" } },
        { "SlidingWindow", new { Name = "one", Algorithm = "SlidingWindow", PermitLimit = 1000, Window = "10:00:00" } },
        { "TokenBucket", new { Name = "one", Algorithm = "TokenBucket", PermitLimit = 1000, ReplenishmentPeriod = "30.00:00:00" } },
        { "Total", new { Name = "one", Algorithm = "Total", PermitLimit = 1000, Until } },
    };

    [Theory]
    [MemberData(nameof(Exact))]
    public async Task Four_nodes_admit_exactly_the_limit_of_20000_requests_over_64_connections(string algorithm, object limit)
    {
        GatewayNode[] nodes = [await StartAsync(limit), await StartAsync(limit), await StartAsync(limit), await StartAsync(limit)];

        Assert.Equal(1000, await CountAdmittedAsync(nodes, 20_000, 64));
        Assert.Equal(1000, Origin.Count("/x"));
        Assert.NotEmpty(algorithm);
        await AssertKeysEndAsync();
    }

    [Theory]
    [MemberData(nameof(Exact))]
    public async Task The_embedded_server_counts_alike(string algorithm, object limit)
    {
        await using var node = await GatewayNode.StartAsync(Config(limit, new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1000 }));

        Assert.Equal(1000, await CountAdmittedAsync([node], 1200, 8));
        using var problem = await node.SendAsync("/x");
        Assert.NotNull(problem.Headers.RetryAfter);
        Assert.NotEmpty(algorithm);
        Assert.DoesNotContain(node.Log.Events, logged => logged.Message.Contains("refused a call", StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_window_of_any_beginning_holds_more_than_the_sliding_limit()
    {
        var window = TimeSpan.FromMilliseconds(800);
        var node = await StartAsync(new { Name = "one", Algorithm = "SlidingWindow", PermitLimit = 20, Window = "00:00:00.800" });
        var admitted = new List<long>();
        Origin.Map("/x", context =>
        {
            lock (admitted)
                admitted.Add(TimeProvider.System.GetTimestamp());
            return Task.CompletedTask;
        });

        // Counted where requests arrive: between counting and arriving time passes, so a window here is a little shorter.
        await Eventually.TrueAsync(async () =>
        {
            await CountAdmittedAsync([node], 20, 4);
            return admitted.Count >= 100;
        }, "five windows' worth of requests were admitted", TimeSpan.FromSeconds(30));

        admitted.Sort();
        for (var i = 20; i < admitted.Count; i++)
        {
            var span = TimeProvider.System.GetElapsedTime(admitted[i - 20], admitted[i]);
            Assert.True(span > window - TimeSpan.FromMilliseconds(150), $"21 requests within {span}");
        }
    }

    [Theory]
    [InlineData("SlidingWindow", "Window", "00:00:01.500")]
    [InlineData("TokenBucket", "ReplenishmentPeriod", "00:00:02")]
    [InlineData("FixedWindow", "Window", "00:00:01.500")]
    public async Task Whoever_comes_back_when_Retry_After_says_passes(string algorithm, string span, string length)
    {
        var node = await StartAsync(new Dictionary<string, object>
        {
            ["Name"] = "one",
            ["Algorithm"] = algorithm,
            ["PermitLimit"] = 4,
            [span] = length,
            ["CostFromRequest"] = "X-Cost",
        });

        foreach (var cost in new[] { "1", "3", "2", "4" })
        {
            await Eventually.TrueAsync(async () => await StatusAsync(node, ("X-Cost", "1")) == 429, "the limit is used up");
            using var rejected = await node.SendAsync("/x", ("X-Cost", cost));
            if (rejected.StatusCode == HttpStatusCode.OK)
                continue;
            await Task.Delay(rejected.Headers.RetryAfter!.Delta!.Value, TimeProvider.System);
            Assert.Equal(200, await StatusAsync(node, ("X-Cost", cost)));
        }
    }

    [Fact]
    public async Task A_bucket_admits_its_size_at_once_and_then_what_flows_back()
    {
        var node = await StartAsync(new { Name = "one", Algorithm = "TokenBucket", PermitLimit = 5, TokensPerPeriod = 1, ReplenishmentPeriod = "00:00:00.200" });

        Assert.InRange(await CountAdmittedAsync([node], 12, 1), 5, 9);
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "a permit flows back");
    }

    [Fact]
    public async Task A_total_admits_the_first_ones_and_holds_no_more_after_its_date()
    {
        var until = TimeProvider.System.GetUtcNow().AddSeconds(4);
        var node = await StartAsync(new { Name = "first", Algorithm = "Total", PermitLimit = 3, Until = until });

        Assert.Equal(3, await CountAdmittedAsync([node], 10, 2));
        using var rejected = await node.SendAsync("/x");
        Assert.InRange(rejected.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));
        await AssertKeysEndAsync();

        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "the date passes");
        Assert.Equal(10, await CountAdmittedAsync([node], 10, 2));
    }

    [Fact]
    public async Task A_cost_from_the_request_takes_so_many_permits()
    {
        var node = await StartAsync(new { Name = "one", PermitLimit = 10, Window = "01:00:00", CostFromRequest = "X-Cost" });

        using var admitted = await node.SendAsync("/x", ("X-Cost", "7"));
        Assert.Equal("\"one\";r=3;t=3600", admitted.Headers.GetValues("RateLimit").Single());
        Assert.Equal(429, await StatusAsync(node, ("X-Cost", "4")));
        // A refused cost blocks no smaller one.
        Assert.Equal(200, await StatusAsync(node, ("X-Cost", "3")));
        Assert.Equal(429, await StatusAsync(node));
        Assert.Equal(2, Origin.Count("/x"));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("many")]
    [InlineData("1000000001")]
    public async Task A_cost_that_is_none_is_refused_and_says_what_to_send(string cost)
    {
        var node = await StartAsync(new { Name = "one", PermitLimit = 10, Window = "01:00:00", CostFromRequest = "X-Cost" });

        using var response = await node.SendAsync("/x", ("X-Cost", cost));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("X-Cost", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("title").GetString(), StringComparison.Ordinal);
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("FixedWindow", "Window", "01:00:00")]
    [InlineData("SlidingWindow", "Window", "10:00:00")]
    [InlineData("TokenBucket", "ReplenishmentPeriod", "30.00:00:00")]
    [InlineData("Total", "Until", "2080-01-01T00:00:00Z")]
    public async Task A_cost_greater_than_the_limit_never_passes_and_names_no_time_to_come_back(string algorithm, string span, string value)
    {
        var node = await StartAsync(new Dictionary<string, object>
        {
            ["Name"] = "one",
            ["Algorithm"] = algorithm,
            ["PermitLimit"] = 10,
            [span] = value,
            ["CostFromRequest"] = "X-Cost",
        });

        using var response = await node.SendAsync("/x", ("X-Cost", "11"));

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Null(response.Headers.RetryAfter);
        Assert.Equal(0, Origin.Count("/x"));
        Assert.Equal(200, await StatusAsync(node, ("X-Cost", "10")));
    }

    [Fact]
    public async Task A_cost_from_the_response_is_settled_afterwards_even_beyond_the_limit()
    {
        Origin.Map("/x", "body", ("X-Cost", "4"));
        var node = await StartAsync(
            new { Name = "one", PermitLimit = 10, Window = "01:00:00", CostFromResponse = "X-Cost" },
            new { Name = "two", Algorithm = "SlidingWindow", PermitLimit = 100, Window = "01:00:00", CostFromResponse = "X-Cost" },
            new { Name = "three", Algorithm = "TokenBucket", PermitLimit = 100, ReplenishmentPeriod = "30.00:00:00", CostFromResponse = "X-Cost" });

        // One permit is taken before, the other three afterwards: 4, 8, 12.
        foreach (var used in new[] { 4, 8, 12 })
            Assert.Equal(200, await SettledAsync(used));
        Assert.Equal(429, await StatusAsync(node));
        var counted = await UsedAsync(node);
        Assert.Equal([12, 12, 12], counted);

        // The least that there is to settle.
        Origin.Map("/x", "body", ("X-Cost", "2"));
        await node.ReloadAsync(Config(new { Name = "one", PermitLimit = 20, Window = "01:00:00", CostFromResponse = "X-Cost" }));
        Assert.Equal(200, await SettledAsync(14));

        async Task<int> SettledAsync(long used)
        {
            var status = await StatusAsync(node);
            await Eventually.TrueAsync(async () => (await UsedAsync(node))[0] == used, $"{used} permits are counted");
            return status;
        }
    }

    [Fact]
    public async Task A_cost_from_the_response_that_would_take_millions_of_years_to_flow_back_is_a_debt_of_one()
    {
        Origin.Map("/x", "body", ("X-Cost", "1000000000"));
        var node = await StartAsync(new { Name = "one", Algorithm = "TokenBucket", PermitLimit = 10, ReplenishmentPeriod = "30.00:00:00", CostFromResponse = "X-Cost" });

        Assert.Equal(200, await StatusAsync(node));
        await Eventually.TrueAsync(async () => (await UsedAsync(node))[0] > 10, "the rest is counted");
        using var rejected = await node.SendAsync("/x");

        Assert.Equal(HttpStatusCode.TooManyRequests, rejected.StatusCode);
        Assert.InRange(rejected.Headers.RetryAfter!.Delta!.Value.TotalDays, 300, 400);
    }

    [Fact]
    public async Task A_shadow_counts_and_never_rejects()
    {
        var node = await StartAsync(
            new { Name = "new", PermitLimit = 2, Window = "01:00:00", Shadow = true }, new { Name = "old", PermitLimit = 5, Window = "01:00:00" });

        Assert.Equal(5, await CountAdmittedAsync([node], 8, 1));
        using var rejected = await node.SendAsync("/x");
        Assert.DoesNotContain("new", string.Concat(rejected.Headers.SelectMany(field => field.Value)), StringComparison.Ordinal);
        var counted = await UsedAsync(node);
        Assert.Equal([2, 5], counted);
    }

    [Fact]
    public async Task A_tier_has_a_limit_of_its_own()
    {
        var node = await StartAsync(new
        {
            Name = "one",
            PermitLimit = 2,
            Window = "01:00:00",
            By = new[] { "Header:X-Key" },
            TierBy = "Header:X-Plan",
            Tiers = new { gold = 4 },
        });

        Assert.Equal(2, await CountAdmittedAsync([node], 6, 1, ("X-Key", "a")));
        Assert.Equal(4, await CountAdmittedAsync([node], 6, 1, ("X-Key", "b"), ("X-Plan", "Gold")));
        Assert.Equal(2, await CountAdmittedAsync([node], 6, 1, ("X-Key", "c"), ("X-Plan", "none")));
        // A client that is blocked gets on with a better plan.
        Assert.Equal(2, await CountAdmittedAsync([node], 6, 1, ("X-Key", "a"), ("X-Plan", "gold")));
    }
}
