using Gateway.ChangeLog;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.ChangeLog;

public sealed class ChangeLeaseTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly FakeTimeProvider _time = new();
    private readonly ChangeLease _lease;

    public ChangeLeaseTests() => _lease = new ChangeLease(_time);

    [Fact]
    public void A_node_that_comes_has_no_lease_until_it_was_up_to_date_for_a_second()
    {
        Assert.False(_lease.IsHeld);
        for (var polls = 0; polls < 2; polls++)
        {
            Poll();
            Assert.False(_lease.IsHeld);
        }

        Poll();
        Assert.True(_lease.IsHeld);
    }

    [Fact]
    public void A_lease_lasts_two_seconds_from_before_the_poll_that_renewed_it()
    {
        Settle();

        _time.Advance(ChangeLease.Duration - Interval - TimeSpan.FromTicks(1));
        Assert.True(_lease.IsHeld);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(_lease.IsHeld);
        Assert.Equal(TimeSpan.Zero, _lease.LostFor);
        _time.Advance(Interval);
        Assert.Equal(Interval, _lease.LostFor);
    }

    [Fact]
    public void A_node_that_polls_again_before_anybody_counts_it_as_away_keeps_its_lease()
    {
        Settle();

        _time.Advance(ChangeLease.Duration - Interval - TimeSpan.FromTicks(1));
        Poll();

        Assert.True(_lease.IsHeld);
    }

    [Fact]
    public void A_node_that_was_away_does_not_trust_the_log_it_finds_for_a_second()
    {
        Settle();

        _time.Advance(ChangeLease.Duration);
        Poll();
        Assert.False(_lease.IsHeld);
        Poll();
        Assert.False(_lease.IsHeld);
        Poll();
        Assert.True(_lease.IsHeld);
    }

    [Fact]
    public void Polls_with_a_gap_between_them_are_no_second_of_being_up_to_date()
    {
        Poll();
        _time.Advance(ChangeLease.Duration);
        Poll();

        Assert.False(_lease.IsHeld);
    }

    private void Settle()
    {
        for (var polls = 0; polls < 3; polls++)
            Poll();
    }

    // Answered at once; the next is due an interval later.
    private void Poll()
    {
        _lease.Renew(_time.GetTimestamp());
        var isHeld = _lease.IsHeld;
        _time.Advance(Interval);
        Assert.Equal(isHeld, _lease.IsHeld);
    }
}
