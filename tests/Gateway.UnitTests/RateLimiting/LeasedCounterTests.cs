using Gateway.RateLimiting;
using Gateway.RateLimiting.Leasing;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.RateLimiting;

public sealed class LeasedCounterTests
{
    private static readonly RateLimit Limit = new("hot", RateLimitAlgorithm.FixedWindow, 100, []) { Span = TimeSpan.FromMinutes(1), LeaseBatch = 10 };

    private readonly FakeTimeProvider _time = new();
    private readonly LeasedCounter _counter;

    public LeasedCounterTests() => _counter = new LeasedCounter(_time);

    [Fact]
    public void What_was_lent_is_handed_out_until_the_window_ends_and_tells_what_all_nodes_have_left()
    {
        Assert.False(Takes());
        _counter.TryAdd(Lent(3, used: 50));

        Assert.True(_counter.TryTake(ChargeOf(Limit, 2), out var state));
        Assert.Equal((49, 51, TimeSpan.FromSeconds(60)), (state.Used, state.Remaining, state.Reset));
        Assert.False(Takes(cost: 2));
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.False(Takes());
        Assert.Null(_counter.Drop());
    }

    [Fact]
    public void Permits_of_one_window_add_up_and_those_of_another_are_void()
    {
        _counter.TryAdd(Lent(3));
        _counter.TryAdd(Lent(2));
        Assert.Equal(5, CountTaken());

        _counter.TryAdd(Lent(3));
        _counter.TryAdd(Lent(2, which: 2));
        Assert.Equal(2, CountTaken());
    }

    [Fact]
    public void Permits_of_before_a_reset_are_void_whichever_answer_comes_first()
    {
        _counter.TryAdd(Lent(3, which: 1));
        _counter.TryAdd(Lent(2, which: 2));
        Assert.True(_counter.TryAdd(Lent(4, which: 1)));

        Assert.Equal(2, CountTaken());
    }

    [Fact]
    public void Permits_of_a_counter_that_has_gone_are_void_when_the_next_one_lends_none()
    {
        _counter.TryAdd(Lent(3, which: 1));
        _counter.TryAdd(Lent(0, which: 0));

        Assert.False(Takes());
    }

    [Fact]
    public void What_another_configuration_lent_is_given_back_and_not_handed_out()
    {
        var reloaded = Limit with { Span = TimeSpan.FromSeconds(1) };
        _counter.TryAdd(Lent(3));

        Assert.False(_counter.TryTake(ChargeOf(reloaded, 1), out _));
        Assert.Null(_counter.TakeOther(Limit));
        var rest = _counter.TakeOther(reloaded);
        Assert.Equal((3, Limit), (rest?.Count, rest?.Charge.Limit));
        Assert.Null(_counter.Drop());
    }

    [Fact]
    public void A_dropped_counter_gives_back_its_rest_and_takes_no_more()
    {
        _counter.TryAdd(Lent(3));
        Assert.True(Takes());

        Assert.Equal(2, _counter.Drop()?.Count);

        Assert.True(_counter.IsDropped);
        Assert.False(_counter.TryAdd(Lent(3)));
        Assert.False(Takes());
    }

    [Fact]
    public async Task It_is_idle_when_nobody_used_it_for_so_long_and_nobody_waits()
    {
        var idle = TimeSpan.FromSeconds(1);
        Assert.False(_counter.IsIdle(idle));
        _time.Advance(idle);
        Assert.True(_counter.IsIdle(idle));

        await _counter.Asking.WaitAsync();
        Assert.False(_counter.IsIdle(idle));
        _counter.Asking.Release();
        Takes();
        Assert.False(_counter.IsIdle(idle));
    }

    private static LimitCharge ChargeOf(RateLimit limit, long cost) => new(limit, "key", "client", 100, cost);

    private LentPermits Lent(long count, long used = 10, long which = 1) =>
        new(ChargeOf(Limit, 1), count, used, _time.GetTimestamp() + (60 * _time.TimestampFrequency), which);

    private bool Takes(long cost = 1) => _counter.TryTake(ChargeOf(Limit, cost), out _);

    private int CountTaken()
    {
        var taken = 0;
        while (Takes())
            taken++;
        return taken;
    }
}
