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
        var before = _applied.Position;
        _applied.Reset(epoch: 6, floor: 0);
        _applied.ApplyOwn([new Change(Tag, 400)], before, epoch: 5);

        Assert.Equal(ChangeVerdict.Current, _applied.Check(_applied.Stamp, [Tag]));
    }

    [Theory]
    [InlineData(6, 1)]
    [InlineData(4, 400)]
    [InlineData(5, 7)]
    public void A_change_written_in_a_log_not_read_yet_puts_everything_in_doubt(long epoch, long number)
    {
        _applied.Apply([], _applied.Position, _applied.Position with { Number = 7 });
        var stored = _applied.Stamp;
        _applied.ApplyOwn([new Change(Tag, number)], _applied.Position, epoch);

        Assert.Equal(ChangeVerdict.Unknown, _applied.Check(stored, [Selector.Tag("other")]));
        Assert.True(_applied.Position.Epoch < 0);
    }

    [Fact]
    public void A_change_written_while_all_is_in_doubt_concerns_what_was_stored_meanwhile()
    {
        _applied.ApplyOwn([new Change(Tag, 1)], _applied.Position, epoch: 6);
        var stored = _applied.Stamp;
        Assert.Equal(ChangeVerdict.Current, _applied.Check(stored, [Tag]));

        _applied.ApplyOwn([new Change(Tag, 2)], _applied.Position, epoch: 6);

        Assert.Equal(ChangeVerdict.Unknown, _applied.Check(stored, [Tag]));
    }

    [Fact]
    public void A_change_written_before_the_first_read_concerns_what_was_stored_before_it()
    {
        var applied = new AppliedChanges();
        var stored = applied.Stamp;

        applied.ApplyOwn([new Change(Tag, 1)], applied.Position, epoch: 6);

        Assert.Equal(ChangeVerdict.Unknown, applied.Check(stored, [Tag]));
    }

    [Fact]
    public void A_batch_read_before_all_was_put_in_doubt_does_not_end_the_doubt()
    {
        var (before, read) = (_applied.Stamp, _applied.Position);
        _applied.ApplyOwn([new Change(Tag, 1)], read, epoch: 6);
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
