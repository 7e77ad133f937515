using Gateway.RateLimiting;
using Gateway.RateLimiting.Local;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.RateLimiting;

public sealed class LocalLimitsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly NodeShare _share = new() { Nodes = 4 };

    [Theory]
    [InlineData(1000, 4, 250)]
    [InlineData(10, 4, 2)]
    [InlineData(1, 4, 1)]
    [InlineData(10, 0, 10)]
    public void A_node_has_its_share_and_at_least_one(long permits, int nodes, int expected) =>
        Assert.Equal(expected, new NodeShare { Nodes = nodes }.Of(permits));

    [Theory]
    [InlineData(RateLimitAlgorithm.FixedWindow)]
    [InlineData(RateLimitAlgorithm.SlidingWindow)]
    [InlineData(RateLimitAlgorithm.TokenBucket)]
    [InlineData(RateLimitAlgorithm.Concurrency)]
    public void Each_algorithm_admits_the_share(RateLimitAlgorithm algorithm)
    {
        var local = new LocalLimits(_share, _time);
        var charge = ChargeOf(LimitOf("one", algorithm, 20), "client");

        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => local.Take([charge], out var _) is null));
        Assert.Null(local.Take([charge with { Key = "other" }], out _));
    }

    [Fact]
    public void A_request_that_one_limit_rejects_is_charged_to_none()
    {
        var local = new LocalLimits(_share, _time);
        var small = ChargeOf(LimitOf("small", RateLimitAlgorithm.FixedWindow, 4), "small");
        var large = ChargeOf(LimitOf("large", RateLimitAlgorithm.FixedWindow, 40), "large");
        for (var i = 0; i < 20; i++)
            local.Take([small, large], out _);

        Assert.Equal(9, Enumerable.Range(0, 20).Count(_ => local.Take([large], out var _) is null));
    }

    [Fact]
    public void Permits_of_running_requests_come_back()
    {
        var local = new LocalLimits(_share, _time);
        var charge = ChargeOf(LimitOf("one", RateLimitAlgorithm.Concurrency, 4), "client");

        Assert.Null(local.Take([charge], out var held));
        Assert.NotNull(local.Take([charge], out _));
        held.ForEach(lease => lease.Dispose());
        Assert.Null(local.Take([charge], out _));
    }

    [Fact]
    public void Limits_that_are_not_counted_locally_admit()
    {
        var local = new LocalLimits(_share, _time);
        var charge = ChargeOf(LimitOf("one", RateLimitAlgorithm.FixedWindow, 1) with { WhenRedisIsDown = WhenRedisIsDown.Allow }, "client");

        Assert.Equal(20, Enumerable.Range(0, 20).Count(_ => local.Take([charge], out var _) is null));
    }

    [Fact]
    public void What_costs_more_than_the_share_takes_the_whole_share()
    {
        var local = new LocalLimits(_share, _time);
        var charge = ChargeOf(LimitOf("one", RateLimitAlgorithm.FixedWindow, 20), "client") with { Cost = 15 };

        Assert.Null(local.Take([charge], out _));
        Assert.NotNull(local.Take([charge with { Cost = 1 }], out _));
    }

    [Fact]
    public void What_costs_more_than_the_limit_never_passes()
    {
        var local = new LocalLimits(_share, _time);
        var charge = ChargeOf(LimitOf("one", RateLimitAlgorithm.FixedWindow, 20), "client");

        Assert.False(local.Take([charge with { Cost = 21 }], out _)!.Value.IsPossible);
        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => local.Take([charge], out var _) is null));
    }

    [Fact]
    public void A_bucket_that_is_used_up_says_when_so_much_has_flowed_back()
    {
        var local = new LocalLimits(_share, _time);
        var charge = ChargeOf(LimitOf("one", RateLimitAlgorithm.TokenBucket, 20), "client");
        for (var i = 0; i < 5; i++)
            Assert.Null(local.Take([charge], out _));

        // Five a day flow back to this node.
        Assert.Equal(TimeSpan.FromDays(1) / 5, local.Take([charge], out _)!.Value.Wait);
        Assert.Equal(TimeSpan.FromDays(3) / 5, local.Take([charge with { Cost = 3 }], out _)!.Value.Wait);
    }

    [Fact]
    public void Idle_clients_are_looked_for_once_a_second_however_many_new_ones_come()
    {
        var local = new LocalLimits(new NodeShare(), _time);
        var limit = LimitOf("one", RateLimitAlgorithm.Concurrency, 1);
        var running = new List<System.Threading.RateLimiting.RateLimitLease>();
        for (var i = 0; i < LocalLimits.MaxClients; i++)
        {
            Assert.Null(local.Take([ChargeOf(limit, $"client-{i}")], out var held));
            running.AddRange(held);
        }

        Assert.Null(local.Take([ChargeOf(limit, "new-1")], out _));
        running.ForEach(lease => lease.Dispose());
        Assert.NotNull(local.Take([ChargeOf(limit, "new-2")], out _));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(local.Take([ChargeOf(limit, "new-3")], out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_a_flood_of_clients_those_that_are_idle_make_room_and_without_room_the_next_ones_count_together(bool areIdle)
    {
        var local = new LocalLimits(new NodeShare(), _time);
        var limit = LimitOf("one", RateLimitAlgorithm.Concurrency, 1);
        for (var i = 0; i < LocalLimits.MaxClients; i++)
        {
            Assert.Null(local.Take([ChargeOf(limit, $"client-{i}")], out var held));
            if (areIdle)
                held.ForEach(lease => lease.Dispose());
        }

        Assert.Null(local.Take([ChargeOf(limit, "next")], out _));
        Assert.Equal(areIdle, local.Take([ChargeOf(limit, "one more")], out _) is null);
    }

    private static RateLimit LimitOf(string name, RateLimitAlgorithm algorithm, long permits) =>
        new(name, algorithm, permits, []) { Span = TimeSpan.FromDays(1), WhenRedisIsDown = WhenRedisIsDown.Local };

    private static LimitCharge ChargeOf(RateLimit limit, string key) => new(limit, key, key, limit.PermitLimit, 1);
}
