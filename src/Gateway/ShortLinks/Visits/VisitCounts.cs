using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gateway.ShortLinks.Visits;

/// <summary>Which link was visited: its slug, and the id that tells it from a later link of that slug.</summary>
internal readonly record struct VisitedLink(string Slug, string Id);

/// <summary>What is counted of a visit beside that it was one.</summary>
/// <param name="Day">The day, in days since 1970 by Redis time.</param>
/// <param name="Referrer">The host of the page that links here, or one of the names in <see cref="Visits.Referrer"/>.</param>
internal readonly record struct VisitDetail(int Day, string Referrer);

/// <summary>Visits that are sent together, under one number however often they are sent.</summary>
internal sealed record VisitBatch(long Number, long Visits, IReadOnlyList<KeyValuePair<VisitDetail, long>> Details);

/// <summary>
/// Visits counted in this process and not yet in Redis: one counter per link, day and referring host, so that what
/// waits is bounded by their number, not by that of visits.
/// </summary>
internal sealed class VisitCounts
{
    /// <summary>How many links can have visits that wait. Visits of more links are lost while Redis is away.</summary>
    public const int MaxLinks = 100_000;

    /// <summary>How many referring hosts of one link can wait; visits from more count as <see cref="Referrer.Other"/>.</summary>
    public const int MaxReferrersOfLink = 64;

    /// <summary>The same of all links.</summary>
    public const int MaxReferrers = 200_000;

    private readonly ConcurrentDictionary<VisitedLink, Counter> _counters = new();
    private long _lost;
    private int _details;

    /// <summary>How many visits wait.</summary>
    public long Waiting => _counters.Values.Sum(counter => counter.Waiting);

    public void Add(VisitedLink link, VisitDetail detail)
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

                counter = _counters.GetOrAdd(link, static (_, owner) => new Counter(owner), this);
            }

            if (counter.TryAdd(detail))
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
    internal sealed class Counter(VisitCounts owner)
    {
        private static long _lastNumber;

        private readonly Lock _gate = new();
        private Dictionary<VisitDetail, long> _visits = [];
        private long _count;
        private bool _isClosed;
        private volatile VisitBatch? _batch;

        public long Waiting => Volatile.Read(ref _count) + (_batch?.Visits ?? 0);

        /// <summary>The batch to send: the same one until <see cref="Complete"/>.</summary>
        public VisitBatch Batch => _batch ?? throw new InvalidOperationException("No visits wait.");

        public bool TryAdd(VisitDetail detail)
        {
            lock (_gate)
            {
                if (_isClosed)
                    return false;
                ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_visits, detail);
                if (Unsafe.IsNullRef(ref known))
                {
                    if (_visits.Count >= MaxReferrersOfLink || Volatile.Read(ref owner._details) >= MaxReferrers)
                        detail = detail with { Referrer = Referrer.Other };
                    known = ref CollectionsMarshal.GetValueRefOrAddDefault(_visits, detail, out var exists);
                    if (!exists)
                        Interlocked.Increment(ref owner._details);
                }

                known++;
                _count++;
                return true;
            }
        }

        public bool TryClose()
        {
            lock (_gate)
                return _isClosed = _count == 0;
        }

        public void Complete()
        {
            Interlocked.Add(ref owner._details, -Batch.Details.Count);
            _batch = null;
        }

        public bool HasBatch()
        {
            if (_batch is not null)
                return true;
            Dictionary<VisitDetail, long> taken;
            long visits;
            lock (_gate)
            {
                if (_count == 0)
                    return false;
                (taken, visits) = (_visits, _count);
                (_visits, _count) = ([], 0);
            }

            _batch = new VisitBatch(Interlocked.Increment(ref _lastNumber), visits, [.. taken]);
            return true;
        }
    }
}
