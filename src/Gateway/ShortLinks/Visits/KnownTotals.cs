namespace Gateway.ShortLinks.Visits;

/// <summary>
/// The visits of links with a maximum, as far as Redis told this node. Redis can forget some: a replica that lagged takes
/// over, or it restarts from an older snapshot. What nodes know is written back then, and no visit is admitted until they
/// all had time to.
/// </summary>
internal sealed class KnownTotals(TimeProvider time)
{
    /// <summary>How many links are remembered at most; those visited last.</summary>
    public const int MaxLinks = 20_000;

    /// <summary>How long no visit is admitted after this node has written back: the others reach Redis again within it.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);

    private readonly BoundedMemory<VisitedLink, Total> _totals = new(2 * MaxLinks);
    private long _interruptions;
    private State _state = new(0, null);

    /// <summary>Whether visits can be admitted: Redis knows at least what this node knows, and what the others do.</summary>
    public bool IsSettled
    {
        get
        {
            var (interruptions, writtenAt) = Volatile.Read(ref _state);
            return interruptions == Volatile.Read(ref _interruptions) && (writtenAt is not { } since || time.GetElapsedTime(since) >= Settling);
        }
    }

    /// <summary>How often Redis may have forgotten something.</summary>
    public long Interruptions => Volatile.Read(ref _interruptions);

    /// <summary>All that is known; some may come twice.</summary>
    public IEnumerable<KnownTotal> All => _totals.Entries.Select(entry => new KnownTotal(entry.Key, entry.Value.Visits));

    /// <summary>The visits of a link at least; 0 where nothing is known.</summary>
    public long Of(VisitedLink link) => _totals.Get(link)?.Visits ?? 0;

    /// <summary>Notes what Redis told.</summary>
    public void Note(VisitedLink link, long visits) => (_totals.Get(link) ?? _totals.GetOrAdd(link, new Total(visits), 1)).Raise(visits);

    /// <summary>Notes that Redis may have forgotten something.</summary>
    public void Interrupt() => Interlocked.Increment(ref _interruptions);

    /// <summary>Notes that all was written back that was known at the <paramref name="interruptions"/>th interruption.</summary>
    public void WrittenBack(long interruptions) => Volatile.Write(ref _state, new State(interruptions, time.GetTimestamp()));

    private sealed record State(long Interruptions, long? WrittenAt);

    private sealed class Total(long visits)
    {
        private long _visits = visits;

        public long Visits => Volatile.Read(ref _visits);

        public void Raise(long visits)
        {
            for (var known = Visits; known < visits;)
                known = Interlocked.CompareExchange(ref _visits, visits, known);
        }
    }
}

/// <summary>What is known of a link.</summary>
/// <param name="Link">Which.</param>
/// <param name="Visits">How many visits it has at least.</param>
internal readonly record struct KnownTotal(VisitedLink Link, long Visits);
