using Gateway.Redis;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.Redis;

public sealed class StallWatchTests
{
    private readonly LateTime _time = new();

    [Fact]
    public void A_process_that_runs_has_lost_nothing()
    {
        using var watch = new StallWatch(_time);
        _time.Run(TimeSpan.FromSeconds(10));

        Assert.Equal(TimeSpan.Zero, watch.Total);
    }

    [Fact]
    public void What_passed_beyond_the_interval_while_nothing_ran_is_lost_before_and_after_the_timer_says_so()
    {
        using var watch = new StallWatch(_time);
        _time.Run(TimeSpan.FromSeconds(1));

        _time.Stall(TimeSpan.FromMilliseconds(350));
        Assert.Equal(TimeSpan.FromMilliseconds(300), watch.Total);
        // Now it is known how late the timer was.
        _time.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromMilliseconds(350), watch.Total);
        _time.Stall(TimeSpan.FromMilliseconds(150));

        Assert.Equal(TimeSpan.FromMilliseconds(450), watch.Total);
    }

    /// <summary>Time in which the clock can go on while no timer does.</summary>
    private sealed class LateTime : FakeTimeProvider
    {
        private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

        private TimeSpan _stalled;

        // One advance is one stall: its timers run at the end of it.
        public void Run(TimeSpan length)
        {
            for (var passed = TimeSpan.Zero; passed < length; passed += Step)
                Advance(Step);
        }

        public void Stall(TimeSpan length) => _stalled += length;

        public override long GetTimestamp() => base.GetTimestamp() + (long)(_stalled.TotalSeconds * TimestampFrequency);
    }
}
