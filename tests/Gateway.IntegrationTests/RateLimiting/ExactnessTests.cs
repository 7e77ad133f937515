using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.RateLimiting;

/// <summary>
/// What the script promises, checked against what was decided alone: of thousands of requests at known times, of random
/// costs, none passes that must not, none is refused that need not be, and none is told a wrong time to come back at.
/// </summary>
public sealed partial class ExactnessTests : LimitedNodes
{
    public static TheoryData<int, int, int, int> Loads => new()
    {
        // seed, permits, span in ms, greatest cost
        { 1, 20, 800, 1 },
        { 2, 100, 1000, 7 },
        { 3, 7, 12_345, 9 },
        { 4, 1000, 60_000, 60 },
        { 5, 1, 100, 1 },
        { 6, 3, 3_600_000, 2 },
        { 7, 50, 333, 10 },
    };

    [Theory]
    [MemberData(nameof(Loads))]
    public async Task A_sliding_window_is_never_above_the_limit_and_at_most_one_sub_bucket_late(int seed, int permits, int span, int maxCost)
    {
        var all = await VirtualTime.RunAsync(Redis, seed, "sliding", maxCost, (permits, span, 3000));

        var late = span / 100.0;
        for (var i = 0; i < all.Count; i++)
        {
            if (all[i].IsAdmitted)
                Assert.True(Sum(all, i, age => age < span) <= permits, $"above {permits} within {span} ms: {all[i]}");
            else
                Assert.True(Sum(all, i, age => age < span + late) + all[i].Cost > permits, $"refused without need: {all[i]}");
        }

        AssertRefusalsTellTheTruth(all, permits);
    }

    [Theory]
    [MemberData(nameof(Loads))]
    public async Task A_sliding_window_holds_what_was_counted_when_the_configuration_changes_it(int seed, int permits, int span, int maxCost)
    {
        var all = await VirtualTime.RunAsync(
            Redis, seed, "sliding", maxCost, (permits, span, 500), (permits * 2, span / 3, 500), (permits, span * 2, 500), ((permits + 1) / 2, span * 2, 500));

        (long Permits, double Span)[] limits = [(permits, span), (permits * 2, span / 3), (permits, span * 2), ((permits + 1) / 2, span * 2)];
        for (var i = 0; i < all.Count; i++)
        {
            var (most, window) = limits[i / 500];
            // What had left the shorter window before it was made longer is not known any more.
            if (all[i].IsAdmitted)
                Assert.True(Sum(all, i, age => age < window, from: i >= 1000 ? 1000 : 0) <= most, $"above {most} within {window} ms: {all[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(Loads))]
    public async Task A_fixed_window_begins_with_its_first_request_and_admits_exactly_the_limit(int seed, int permits, int span, int maxCost)
    {
        var all = await VirtualTime.RunAsync(Redis, seed, "fixed", maxCost, (permits, span, 3000));

        var (ends, used) = (0L, 0L);
        foreach (var one in all)
        {
            if (one.Now >= ends)
                used = 0;
            Assert.Equal(used + one.Cost <= permits, one.IsAdmitted);
            if (!one.IsAdmitted)
                continue;
            if (used == 0)
                ends = one.Now + span;
            used += one.Cost;
            Assert.Equal((used, ends - one.Now), (one.Used, one.Reset));
        }

        AssertRefusalsTellTheTruth(all, permits);
    }

    [Theory]
    [MemberData(nameof(Loads))]
    public async Task A_bucket_holds_its_size_and_fills_evenly(int seed, int permits, int span, int maxCost)
    {
        var all = await VirtualTime.RunAsync(Redis, seed, "bucket", maxCost, (permits, span, 3000));

        var (used, at) = (0.0, 0L);
        foreach (var one in all)
        {
            used = Math.Max(0, used - ((one.Now - at) * (double)permits / span));
            at = one.Now;
            var excess = used + one.Cost - permits;
            // Exactly full is decided by the last bit of a sum.
            if (Math.Abs(excess) > 1e-6)
                Assert.Equal(excess < 0, one.IsAdmitted);
            used += one.IsAdmitted ? one.Cost : 0;
            Assert.InRange(one.Used, used - 1e-6, used + 1 + 1e-6);
        }

        AssertRefusalsTellTheTruth(all, permits);
    }

    [Theory]
    [MemberData(nameof(Loads))]
    public async Task A_total_admits_the_first_ones_until_its_date(int seed, int permits, int span, int maxCost)
    {
        var all = await VirtualTime.RunAsync(Redis, seed, "total", maxCost, (permits, span * 5L, 3000));

        var ends = 1_700_000_000_123 + (span * 5L);
        var used = 0L;
        foreach (var one in all)
        {
            Assert.Equal(one.Now >= ends || used + one.Cost <= permits, one.IsAdmitted);
            if (one.Now >= ends || !one.IsAdmitted)
                continue;
            used += one.Cost;
            // Its key lives to the date.
            Assert.Equal(ends - one.Now, one.Reset);
        }

        Assert.Contains(all, one => one.Now >= ends);
    }

    [Fact]
    public async Task Of_running_requests_that_are_not_renewed_never_more_than_the_limit_hold_a_permit()
    {
        const int Hold = 6000;
        var all = await VirtualTime.RunAsync(Redis, 8, "concurrency", 1, (5, 20_000, 3000));

        for (var i = 0; i < all.Count; i++)
        {
            var running = Sum(all, i, age => age < Hold);
            Assert.True(all[i].IsAdmitted ? running <= 5 : running == 5, $"{running} run: {all[i]}");
        }
    }

    // Permits taken up to a decision, its own included if it was admitted, by how long before it.
    private static long Sum(IReadOnlyList<Decision> all, int decision, Func<double, bool> isCounted, int from = 0)
    {
        var sum = 0L;
        for (var i = from; i <= decision; i++)
        {
            if (all[i].IsAdmitted && isCounted(all[decision].Now - all[i].Now))
                sum += all[i].Cost;
        }

        return sum;
    }

    private static void AssertRefusalsTellTheTruth(IReadOnlyList<Decision> all, int permits)
    {
        Assert.Contains(all, one => one.IsAdmitted);
        Assert.Contains(all, one => one.Wait > 0);
        foreach (var one in all.Where(one => !one.IsAdmitted))
        {
            Assert.Equal(one.Cost > permits, one.Wait == -1);
            if (one.Wait == -1)
                continue;
            Assert.True(one.PassesAtWait, $"told to come back too early: {one}");
            Assert.False(one.PassesBefore, $"told to come back too late: {one}");
        }
    }

    [Fact]
    public async Task Of_four_nodes_no_window_of_any_beginning_holds_more_than_the_sliding_limit_by_the_time_of_Redis()
    {
        const int Permits = 50, WindowMs = 800, PartMs = WindowMs / 100;
        var limit = new { Name = "one", Algorithm = "SlidingWindow", PermitLimit = Permits, Window = "00:00:00.800" };
        GatewayNode[] nodes = [await StartAsync(limit), await StartAsync(limit), await StartAsync(limit), await StartAsync(limit)];
        await using var monitor = await RedisMonitor.StartAsync(Redis);

        await Eventually.TrueAsync(async () =>
        {
            await CountAdmittedAsync(nodes, 256, 64);
            return Origin.Count("/x") >= 6 * Permits;
        }, "six windows' worth of requests were admitted", TimeSpan.FromSeconds(60));
        var admitted = Origin.Count("/x");
        await Eventually.TrueAsync(() => Counted(monitor).Count == admitted, "all that were admitted were counted");

        // Each was counted in the hundredth that Redis was in when it decided: those of one window lie in 101 of them.
        var counted = Counted(monitor);
        for (var i = 0; i < counted.Count; i++)
        {
            Assert.InRange(counted[i].Ms, counted[i].Part * PartMs, (counted[i].Part * PartMs) + WindowMs);
            if (i >= Permits)
                Assert.True(counted[i].Part - counted[i - Permits].Part > 100, $"{Permits + 1} requests within {counted[i].Part - counted[i - Permits].Part} hundredths");
        }
    }

    [Fact]
    public async Task An_admitted_request_costs_one_call_whatever_the_number_of_limits_and_a_refused_client_none()
    {
        object[] limits = [.. Enumerable.Range(0, 10).Select(i => new
        {
            Name = $"limit-{i}",
            Algorithm = i % 2 == 0 ? "FixedWindow" : "SlidingWindow",
            PermitLimit = 20 + i,
            Window = "01:00:00",
            By = new[] { i % 3 == 0 ? "ClientIp" : "Header:X-Key" },
        })];
        var node = await StartAsync(limits);
        await using var warm = await GatewayNode.StartAsync(Config(new { Name = "one", PermitLimit = 1, Window = "01:00:00" }), Redis.ConnectionString);
        Assert.Equal(200, await StatusAsync(warm));
        await using var monitor = await RedisMonitor.StartAsync(Redis);

        Assert.Equal(20, await CountAdmittedAsync([node], 100, 8, ("X-Key", "k")));

        // Those that were under way when the first was refused are asked too.
        await Eventually.TrueAsync(() => Calls(monitor) >= 20, "the calls are seen");
        Assert.InRange(Calls(monitor), 20 + 1, 20 + 8);

        static int Calls(RedisMonitor monitor) =>
            monitor.Lines.Count(line => line.Contains(":limit:", StringComparison.Ordinal) && !line.Contains(" lua] ", StringComparison.Ordinal));
    }

    private static List<(long Part, double Ms)> Counted(RedisMonitor monitor) =>
    [
        .. monitor.Lines.Select(line => SlidingCount().Match(line)).Where(match => match.Success).Select(match => (
            long.Parse(match.Groups["part"].Value, CultureInfo.InvariantCulture), double.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture) * 1000)),
    ];

    [GeneratedRegex("""^(?<time>[0-9.]+) \[0 lua\] "HINCRBY" "gateway:limit:[^"]+:s:one" "(?<part>[0-9]+)" "1"$""")]
    private static partial Regex SlidingCount();
}
