using Gateway.ChangeLog;

namespace Gateway.UnitTests.ChangeLog;

public sealed class ChangeSpreadTests
{
    private static readonly ChangeReceipt Change = new(Epoch: 10, FirstNumber: 7, Number: 8, RecordId: "record");

    [Fact]
    public void A_node_has_applied_a_change_or_is_behind_or_is_silent_once_its_lease_has_run_out()
    {
        var withinLease = ChangeLease.Duration - TimeSpan.FromMilliseconds(1);

        var spread = ChangeSpread.Of(Change, new KnownNodes(10, HasChange: true,
        [
            new("applied", TimeSpan.Zero, 10, 8),
            new("further", withinLease, 10, 9),
            new("silent, and has applied it", TimeSpan.FromSeconds(30), 10, 8),
            new("first of two", withinLease, 10, 7),
            new("silent", ChangeLease.Duration, 10, 7),
        ]));

        Assert.Equal(["applied", "further", "silent, and has applied it"], spread.Applied);
        Assert.Equal(["first of two"], spread.Behind);
        Assert.Equal(["silent"], spread.Silent);
    }

    [Fact]
    public void In_a_new_epoch_who_has_begun_it_holds_nothing_from_before_the_change_and_others_may()
    {
        var spread = ChangeSpread.Of(Change, new KnownNodes(11, HasChange: true,
        [
            new("began anew", TimeSpan.Zero, 11, 0),
            new("still in the old one", TimeSpan.Zero, 10, 9),
        ]));

        Assert.Equal(["began anew"], spread.Applied);
        Assert.Equal(["still in the old one"], spread.Behind);
    }
}
