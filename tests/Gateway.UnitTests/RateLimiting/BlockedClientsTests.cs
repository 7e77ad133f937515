using Gateway.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.RateLimiting;

public sealed class BlockedClientsTests
{
    private static readonly RateLimit Limit = new("one", RateLimitAlgorithm.FixedWindow, 5, []) { Span = TimeSpan.FromSeconds(10) };

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_client_is_blocked_until_its_cost_can_pass_and_not_longer()
    {
        var blocked = new BlockedClients(_time);
        blocked.Add(ChargeOf("client"), Over(TimeSpan.FromSeconds(3)), blocked.Epoch);

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(blocked.TryGet(ChargeOf("client"), out var state));
        Assert.Equal(TimeSpan.FromSeconds(1), state.Wait);
        Assert.False(blocked.TryGet(ChargeOf("other"), out _));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(blocked.TryGet(ChargeOf("client"), out _));
    }

    [Fact]
    public void A_smaller_cost_and_a_higher_tier_may_pass_where_a_larger_cost_was_refused()
    {
        var blocked = new BlockedClients(_time);
        blocked.Add(ChargeOf("client", cost: 4), Over(TimeSpan.FromSeconds(3)), blocked.Epoch);

        Assert.True(blocked.TryGet(ChargeOf("client", cost: 4), out _));
        Assert.True(blocked.TryGet(ChargeOf("client", cost: 5), out _));
        Assert.False(blocked.TryGet(ChargeOf("client", cost: 6), out _));
        Assert.False(blocked.TryGet(ChargeOf("client", cost: 3), out _));
        Assert.False(blocked.TryGet(ChargeOf("client", cost: 4, permits: 6), out _));
    }

    [Theory]
    [InlineData(RateLimitAlgorithm.FixedWindow, 2)]
    [InlineData(RateLimitAlgorithm.TokenBucket, 2 + 4)]
    [InlineData(RateLimitAlgorithm.SlidingWindow, 10)]
    public void A_larger_cost_is_never_told_to_come_back_too_early(RateLimitAlgorithm algorithm, int seconds)
    {
        var limit = new RateLimit("one", algorithm, 5, []) { Span = TimeSpan.FromSeconds(10) };
        var blocked = new BlockedClients(_time);
        blocked.Add(new LimitCharge(limit, "client", "client", 5, 1), new LimitState(limit, 5, 5, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2)), blocked.Epoch);

        Assert.True(blocked.TryGet(new LimitCharge(limit, "client", "client", 5, 3), out var state));
        Assert.Equal(seconds, state.Wait.TotalSeconds, precision: 3);
        Assert.False(blocked.TryGet(new LimitCharge(limit, "client", "client", 5, 6), out _));
    }

    [Theory]
    [InlineData(RateLimitAlgorithm.FixedWindow, 2)]
    // Of five in use four must flow back, at two in ten seconds.
    [InlineData(RateLimitAlgorithm.TokenBucket, 20)]
    [InlineData(RateLimitAlgorithm.SlidingWindow, 10)]
    public void A_lower_tier_is_never_told_to_come_back_too_early(RateLimitAlgorithm algorithm, int seconds)
    {
        var limit = new RateLimit("one", algorithm, 5, []) { Span = TimeSpan.FromSeconds(10) };
        var blocked = new BlockedClients(_time);
        blocked.Add(new LimitCharge(limit, "client", "client", 5, 1), new LimitState(limit, 5, 5, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2)), blocked.Epoch);

        Assert.True(blocked.TryGet(new LimitCharge(limit, "client", "client", 2, 1), out var state));
        Assert.Equal(seconds, state.Wait.TotalSeconds, precision: 3);
        Assert.Equal(2, state.Permits);
    }

    [Fact]
    public void A_refusal_that_a_reset_overtook_is_not_noted()
    {
        var blocked = new BlockedClients(_time);
        var asked = blocked.Epoch;

        blocked.Clear();
        blocked.Add(ChargeOf("client"), Over(TimeSpan.FromSeconds(3)), asked);

        Assert.False(blocked.TryGet(ChargeOf("client"), out _));
    }

    [Fact]
    public void A_refusal_by_another_configuration_holds_no_more()
    {
        var blocked = new BlockedClients(_time);
        blocked.Add(ChargeOf("client"), Over(TimeSpan.FromSeconds(3)), blocked.Epoch);
        var reloaded = Limit with { Span = TimeSpan.FromSeconds(1) };

        Assert.False(blocked.TryGet(new LimitCharge(reloaded, "client", "client", 5, 1), out _));
        blocked.Add(new LimitCharge(reloaded, "client", "client", 5, 1), new LimitState(reloaded, 5, 5, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)), blocked.Epoch);
        Assert.True(blocked.TryGet(new LimitCharge(reloaded, "client", "client", 5, 1), out _));
    }

    [Fact]
    public void Of_two_refusals_the_one_that_blocks_more_requests_is_kept()
    {
        var blocked = new BlockedClients(_time);
        blocked.Add(ChargeOf("client", cost: 1), Over(TimeSpan.FromSeconds(1)), blocked.Epoch);
        blocked.Add(ChargeOf("client", cost: 4), Over(TimeSpan.FromSeconds(3)), blocked.Epoch);

        Assert.True(blocked.TryGet(ChargeOf("client", cost: 1), out _));

        blocked.Add(ChargeOf("other", cost: 4), Over(TimeSpan.FromSeconds(3)), blocked.Epoch);
        blocked.Add(ChargeOf("other", cost: 1), Over(TimeSpan.FromSeconds(1)), blocked.Epoch);
        Assert.True(blocked.TryGet(ChargeOf("other", cost: 1), out _));
    }

    [Fact]
    public void A_refusal_that_is_over_gives_way_to_the_next_one()
    {
        var blocked = new BlockedClients(_time);
        blocked.Add(ChargeOf("client"), Over(TimeSpan.FromSeconds(3)), blocked.Epoch);
        _time.Advance(TimeSpan.FromSeconds(3));

        blocked.Add(ChargeOf("client"), Over(TimeSpan.FromSeconds(2)), blocked.Epoch);

        Assert.True(blocked.TryGet(ChargeOf("client"), out var state));
        Assert.Equal(TimeSpan.FromSeconds(2), state.Wait);
    }

    [Fact]
    public void What_has_no_time_to_come_back_at_is_not_remembered()
    {
        var blocked = new BlockedClients(_time);
        var running = new RateLimit("running", RateLimitAlgorithm.Concurrency, 5, []);
        blocked.Add(ChargeOf("a"), new LimitState(running, 5, 5, TimeSpan.Zero, TimeSpan.FromSeconds(1)), blocked.Epoch);
        blocked.Add(ChargeOf("b", cost: 6), new LimitState(Limit, 5, 0, TimeSpan.Zero, TimeSpan.Zero, IsPossible: false), blocked.Epoch);

        Assert.False(blocked.TryGet(ChargeOf("a"), out _));
        Assert.False(blocked.TryGet(ChargeOf("b", cost: 6), out _));
    }

    [Fact]
    public void A_flood_of_clients_does_not_grow_it_beyond_its_bound()
    {
        var blocked = new BlockedClients(_time);
        for (var i = 0; i <= BlockedClients.MaxClients; i++)
            blocked.Add(ChargeOf($"client-{i}"), Over(TimeSpan.FromSeconds(3)), blocked.Epoch);

        Assert.True(blocked.TryGet(ChargeOf($"client-{BlockedClients.MaxClients}"), out _));
        Assert.False(blocked.TryGet(ChargeOf("client-0"), out _));
    }

    private static LimitCharge ChargeOf(string client, long cost = 1, long permits = 5) => new(Limit, client, client, permits, cost);

    private static LimitState Over(TimeSpan wait) => new(Limit, 5, 5, wait, wait);
}
