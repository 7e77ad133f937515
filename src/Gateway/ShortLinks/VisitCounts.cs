using System.Collections.Concurrent;

namespace Gateway.ShortLinks;

/// <summary>Which link was visited: its slug, and the id that tells it from a later link of that slug.</summary>
internal readonly record struct VisitedLink(string Slug, string Id);

/// <summary>Visits that are sent together, under one number however often they are sent.</summary>
internal sealed record VisitBatch(long Number, long Visits);

/// <summary>
/// Visits counted in this process and not yet in Redis: one counter per link, so that what waits is bounded by the
/// number of links, not of visits.
/// </summary>
internal sealed class VisitCounts
{
    /// <summary>How many links can have visits that wait. Visits of more links are lost while Redis is away.</summary>
    public const int MaxLinks = 100_000;

    private readonly ConcurrentDictionary<VisitedLink, Counter> _counters = new();
    private long _lost;

    /// <summary>How many visits wait.</summary>
    public long Waiting => _counters.Values.Sum(counter => counter.Waiting);

    public void Add(VisitedLink link)
    {
        while (true)
        {
            if (!_counters.TryGetValue(link, out var counter))
            {
                if (_counters.Count >= MaxLinks)
                {
                    Interlocked.Increment(ref _lost);
                    return;
                }

                counter = _counters.GetOrAdd(link, static _ => new Counter());
            }

            if (counter.TryAdd())
                return;
            // It was closed in this moment, and is about to be removed.
            _counters.TryRemove(new(link, counter));
        }
    }

    /// <summary>How many visits were lost since this was last asked, because <see cref="MaxLinks"/> links had visits waiting.</summary>
    public long TakeLost() => Interlocked.Exchange(ref _lost, 0);

    /// <summary>Each link with visits that wait. Links without are forgotten. One caller at a time.</summary>
    public IEnumerable<(VisitedLink Link, Counter Counter)> Take()
    {
        foreach (var (link, counter) in _counters)
        {
            if (counter.HasBatch())
                yield return (link, counter);
            else if (counter.TryClose())
                _counters.TryRemove(new(link, counter));
        }
    }

    /// <summary>The visits of one link.</summary>
    internal sealed class Counter
    {
        // Far below zero, so that no number of visits added by mistake makes it look open.
        private const long Closed = long.MinValue / 2;

        private static long _lastNumber;
        private long _visits;
        private volatile VisitBatch? _batch;

        public long Waiting => Math.Max(0, Volatile.Read(ref _visits)) + (_batch?.Visits ?? 0);

        /// <summary>The batch to send: the same one until <see cref="Complete"/>.</summary>
        public VisitBatch Batch => _batch ?? throw new InvalidOperationException("No visits wait.");

        public bool TryAdd() => Interlocked.Increment(ref _visits) > 0;

        public bool TryClose() => Interlocked.CompareExchange(ref _visits, Closed, 0) == 0;

        public void Complete() => _batch = null;

        public bool HasBatch()
        {
            if (_batch is null && Volatile.Read(ref _visits) > 0)
                _batch = new VisitBatch(Interlocked.Increment(ref _lastNumber), Interlocked.Exchange(ref _visits, 0));
            return _batch is not null;
        }
    }
}
