using Gateway.ShortLinks.Visits;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.ShortLinks.Visits;

public sealed class KnownTotalsTests
{
    private static readonly VisitedLink Oak = new("oak", "1");
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_highest_number_is_kept_of_each_link_by_its_id()
    {
        var totals = new KnownTotals(_time);
        totals.Note(Oak, 7);
        totals.Note(Oak, 5);

        Assert.Equal(7, totals.Of(Oak));
        Assert.Equal(0, totals.Of(Oak with { Id = "2" }));
        Assert.Equal([new KnownTotal(Oak, 7)], totals.All);
    }

    [Fact]
    public void No_visit_is_admitted_from_an_interruption_until_a_while_after_all_was_written_back()
    {
        var totals = new KnownTotals(_time);
        Assert.True(totals.IsSettled);

        totals.Interrupt();
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(totals.IsSettled);

        totals.WrittenBack(totals.Interruptions);
        _time.Advance(KnownTotals.Settling - TimeSpan.FromMilliseconds(1));
        Assert.False(totals.IsSettled);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(totals.IsSettled);
    }

    [Fact]
    public void An_interruption_while_totals_are_written_back_is_not_forgotten()
    {
        var totals = new KnownTotals(_time);
        totals.Interrupt();
        var before = totals.Interruptions;
        totals.Interrupt();

        totals.WrittenBack(before);
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.False(totals.IsSettled);
    }

    [Fact]
    public void Totals_are_remembered_within_bounds_and_those_that_are_used_stay()
    {
        var totals = new KnownTotals(_time);
        totals.Note(Oak, 7);
        for (var i = 0; i < KnownTotals.MaxLinks * 3; i++)
        {
            totals.Note(new VisitedLink($"{i}", "1"), 1);
            totals.Note(Oak, 7);
        }

        Assert.Equal(7, totals.Of(Oak));
        Assert.InRange(totals.All.Count(), KnownTotals.MaxLinks, 2 * KnownTotals.MaxLinks);
    }

    [Fact]
    public void What_is_looked_up_and_noted_while_all_is_listed_takes_nothing_from_the_list()
    {
        const int links = 30_000;
        var totals = new KnownTotals(_time);
        for (var i = 0; i < links; i++)
            totals.Note(new VisitedLink($"{i}", "1"), 5);

        var listed = new Dictionary<VisitedLink, long>();
        foreach (var (link, visits) in totals.All)
        {
            listed[link] = visits;
            totals.Of(link);
            totals.Note(new VisitedLink($"new-{listed.Count}", "1"), 1);
        }

        Assert.Equal(links, listed.Count(known => known.Value == 5));
    }

    [Fact]
    public async Task First_visits_that_are_noted_at_once_leave_the_highest_number()
    {
        var totals = new KnownTotals(_time);
        for (var i = 0; i < 2_000; i++)
        {
            var link = new VisitedLink($"{i}", "1");
            using var start = new Barrier(2);
            await Task.WhenAll(Note(2), Note(1));

            Assert.Equal(2, totals.Of(link));

            Task Note(long visits) => Task.Run(() =>
            {
                start.SignalAndWait();
                totals.Note(link, visits);
            });
        }
    }
}
