using Gateway.ShortLinks.Visits;

namespace Gateway.UnitTests.ShortLinks.Visits;

public sealed class VisitCountsTests
{
    private static readonly VisitedLink Oak = new("oak", "1");
    private static readonly VisitDetail Today = new(20_000, "shop.example");

    [Fact]
    public void Visits_of_a_link_are_taken_together_and_visits_after_that_wait_for_the_next_batch()
    {
        var counts = new VisitCounts();
        counts.Add(Oak, Today);
        counts.Add(Oak, Today);

        var (link, counter) = Assert.Single(counts.Take());
        counts.Add(Oak, Today);

        Assert.Equal((Oak, 2), (link, counter.Batch.Visits));
        Assert.Equal(3, counts.Waiting);
        // Without an answer it stays the same batch: sent again, it must be known again.
        Assert.Same(counter.Batch, Assert.Single(counts.Take()).Counter.Batch);
        var number = counter.Batch.Number;
        counter.Complete();
        var next = Assert.Single(counts.Take()).Counter.Batch;
        Assert.Equal(1, next.Visits);
        Assert.True(next.Number > number);
    }

    [Fact]
    public void Links_without_visits_are_forgotten()
    {
        var counts = new VisitCounts();
        counts.Add(Oak, Today);
        var counter = Assert.Single(counts.Take()).Counter;
        counter.Complete();

        Assert.Empty(counts.Take());
        Assert.False(counter.TryAdd(Today));
        counts.Add(Oak, Today);
        Assert.NotSame(counter, Assert.Single(counts.Take()).Counter);
        Assert.Equal(1, counts.Waiting);
    }

    [Fact]
    public async Task No_visit_is_lost_between_counting_and_taking()
    {
        const int visits = 200_000;
        var counts = new VisitCounts();
        var links = Enumerable.Range(0, 3).Select(i => new VisitedLink($"{i}", "1")).ToArray();
        var done = 0;
        var counting = Task.WhenAll(Enumerable.Range(0, 4).Select(part => Task.Run(() =>
        {
            for (var i = 0; i < visits / 4; i++)
                counts.Add(links[i % 3], Today);
            Interlocked.Increment(ref done);
        })));

        var taken = 0L;
        while (Volatile.Read(ref done) < 4 || counts.Waiting > 0)
        {
            foreach (var (_, counter) in counts.Take())
            {
                taken += counter.Batch.Visits;
                counter.Complete();
            }
        }

        await counting;
        Assert.Equal(visits, taken);
    }

    [Fact]
    public void Visits_of_more_links_than_can_wait_are_lost_and_said_to_be()
    {
        var counts = new VisitCounts();
        for (var i = 0; i < VisitCounts.MaxLinks + 5; i++)
            counts.Add(new VisitedLink($"{i}", "1"), Today);
        counts.Add(new VisitedLink("0", "1"), Today);

        Assert.Equal(VisitCounts.MaxLinks + 1, counts.Waiting);
        Assert.Equal(5, counts.TakeLost());
        Assert.Equal(0, counts.TakeLost());
    }

    [Fact]
    public void Days_and_referring_hosts_are_counted_apart_and_sum_up_to_the_visits()
    {
        var counts = new VisitCounts();
        counts.Add(Oak, Today);
        counts.Add(Oak, Today);
        counts.Add(Oak, Today with { Day = 20_001 });
        counts.Add(Oak, Today with { Referrer = Referrer.None });

        var batch = Assert.Single(counts.Take()).Counter.Batch;

        Assert.Equal(4, batch.Visits);
        Assert.Equal(
            [new(Today, 2), new(Today with { Referrer = Referrer.None }, 1), new(Today with { Day = 20_001 }, 1)],
            batch.Details.OrderByDescending(detail => detail.Value).ThenBy(detail => detail.Key.Day));
    }

    [Fact]
    public void Invented_referring_hosts_take_bounded_memory_and_no_visit_is_lost()
    {
        var counts = new VisitCounts();
        for (var i = 0; i < 1000; i++)
            counts.Add(Oak, Today with { Referrer = $"{i}.example" });

        var batch = Assert.Single(counts.Take()).Counter.Batch;

        Assert.Equal(1000, batch.Visits);
        Assert.Equal(VisitCounts.MaxReferrersOfLink + 1, batch.Details.Count);
        Assert.Equal(1000 - VisitCounts.MaxReferrersOfLink, batch.Details.Single(detail => detail.Key.Referrer == Referrer.Other).Value);
    }

    [Fact]
    public void Referring_hosts_that_were_sent_make_room_for_others()
    {
        const int links = VisitCounts.MaxReferrers / VisitCounts.MaxReferrersOfLink;
        var counts = new VisitCounts();
        for (var i = 0; i <= links; i++)
        {
            for (var j = 0; j < VisitCounts.MaxReferrersOfLink; j++)
                counts.Add(new VisitedLink($"{i}", "1"), new VisitDetail(1, $"{j}.example"));
        }

        foreach (var (_, counter) in counts.Take())
            counter.Complete();
        counts.Add(new VisitedLink("oak", "1"), new VisitDetail(1, "news.example"));

        Assert.Equal("news.example", Assert.Single(counts.Take().Single(visited => visited.Link.Slug == "oak").Counter.Batch.Details).Key.Referrer);
    }
}
