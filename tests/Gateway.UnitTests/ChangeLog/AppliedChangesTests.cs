using System.Runtime.CompilerServices;
using Gateway.ChangeLog;

namespace Gateway.UnitTests.ChangeLog;

public sealed class AppliedChangesTests
{
    private static readonly Selector Tag = Selector.Tag("t");

    private readonly AppliedChanges _applied = new();

    public AppliedChangesTests() => _applied.Reset(epoch: 5, floor: 0);

    [Fact]
    public void A_change_written_in_an_epoch_that_ended_says_nothing_in_the_next()
    {
        _applied.Reset(epoch: 6, floor: 0);
        _applied.ApplyOwn([new Change(Tag, 400)], epoch: 5);

        Assert.Equal(ChangeVerdict.Current, _applied.Check(_applied.Stamp, [Tag]));
    }

    [Fact]
    public void A_change_written_in_an_epoch_not_read_yet_puts_everything_in_doubt()
    {
        var before = _applied.Stamp;
        _applied.ApplyOwn([new Change(Tag, 1)], epoch: 6);

        Assert.Equal(ChangeVerdict.Unknown, _applied.Check(before, [Selector.Tag("other")]));
        Assert.Equal(0, _applied.Position.Epoch);
    }

    [Fact]
    public void A_batch_read_before_all_was_put_in_doubt_does_not_end_the_doubt()
    {
        var (before, read) = (_applied.Stamp, _applied.Position);
        _applied.ApplyOwn([new Change(Tag, 1)], epoch: 6);
        _applied.Apply([new Change(Tag, 1)], read, read with { Number = 1 });

        Assert.Equal(ChangeVerdict.Unknown, _applied.Check(before, [Selector.Tag("other")]));
    }

    [Fact]
    public void A_pending_change_stays_in_force_until_its_number_counts_here()
    {
        var before = _applied.Stamp;
        _applied.AddPending(Tag, Selector.All);
        var pending = Assert.Single(_applied.GetPending());

        _applied.CompletePending(pending, number: 1, epoch: 6);
        Assert.Equal(ChangeVerdict.Changed, _applied.Check(before, [Tag]));

        _applied.CompletePending(pending, number: 1, epoch: 5);
        Assert.Equal(ChangeVerdict.Changed, _applied.Check(before, [Tag]));
        Assert.Equal(0, _applied.PendingCount);
    }

    [Fact]
    public async Task Whoever_checks_while_epochs_change_never_takes_what_was_changed_for_current()
    {
        using var stop = new CancellationTokenSource();
        StrongBox<long> changedIn = new(0);
        var checking = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                Assert.NotEqual(ChangeVerdict.Current, _applied.Check(new ChangeStamp(Volatile.Read(ref changedIn.Value), 0, 0), [Tag]));
        });

        for (var epoch = 6; epoch < 50_000; epoch++)
        {
            _applied.Reset(epoch, floor: 0);
            _applied.Apply([new Change(Tag, 1)], _applied.Position, _applied.Position with { Number = 1 });
            Volatile.Write(ref changedIn.Value, epoch);
        }

        await stop.CancelAsync();
        await checking;
    }

    [Fact]
    public async Task Whoever_checks_while_the_floor_rises_never_takes_what_was_changed_for_current()
    {
        using var stop = new CancellationTokenSource();
        var changed = _applied.Stamp;
        _applied.AppendAlone([Tag], maxSelectors: 8);
        var checking = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                Assert.NotEqual(ChangeVerdict.Current, _applied.Check(changed, [Tag]));
        });

        for (var i = 0; i < 50_000; i++)
            _applied.AppendAlone([Selector.Tag($"{i % 100}")], maxSelectors: 8);

        await stop.CancelAsync();
        await checking;
    }
}
