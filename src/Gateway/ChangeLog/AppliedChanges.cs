using System.Collections.Concurrent;

namespace Gateway.ChangeLog;

/// <summary>
/// The changes this node knows of: each selector's latest number, and how far the log was read. Read on every request
/// from any thread; written by the poller, and by requests that make changes themselves.
/// </summary>
internal sealed class AppliedChanges
{
    /// <summary>How many changes can wait for Redis to return.</summary>
    public const int MaxPending = 10_000;

    private readonly ConcurrentDictionary<Selector, long> _pending = new();
    private readonly Lock _appending = new();
    private State _state = State.At(Position.Nowhere);
    private long _doubts;
    private long _localNumber;
    private long _version = 1;

    /// <summary>Rises with every change: what was found current at a version is current for as long as that version stands.</summary>
    public long Version => Volatile.Read(ref _version);

    public Position Position => Volatile.Read(ref _state).Position;

    /// <summary>The stamp for a fetch that begins now.</summary>
    public ChangeStamp Stamp
    {
        get
        {
            var position = Position;
            return new ChangeStamp(position.Epoch, position.Number, Volatile.Read(ref _localNumber));
        }
    }

    public int PendingCount => _pending.Count;

    public ChangeVerdict Check(in ChangeStamp stamp, ReadOnlySpan<Selector> selectors)
    {
        var (position, numbers) = Volatile.Read(ref _state);
        if (stamp.Epoch != position.Epoch || stamp.Number < position.Floor)
            return ChangeVerdict.Unknown;

        var (hasPending, isStale) = (!_pending.IsEmpty, false);
        foreach (var selector in selectors)
        {
            if (numbers.Hard.TryGetValue(selector, out var number) && number > stamp.Number)
                return ChangeVerdict.Changed;
            if (hasPending && _pending.TryGetValue(selector, out number) && number > stamp.LocalNumber)
                return ChangeVerdict.Changed;
            isStale |= numbers.HasSoft && numbers.Soft.TryGetValue(selector, out number) && number > stamp.Number;
        }

        return isStale ? ChangeVerdict.Stale : ChangeVerdict.Current;
    }

    /// <summary>The number of the last change, but for soft purges, that any of these selectors names; 0: of none that is remembered.</summary>
    public long LatestOf(ReadOnlySpan<Selector> selectors)
    {
        var (_, numbers) = Volatile.Read(ref _state);
        var latest = 0L;
        foreach (var selector in selectors)
        {
            if (numbers.Hard.TryGetValue(selector, out var number))
                latest = Math.Max(latest, number);
        }

        return latest;
    }

    /// <summary>
    /// Takes over a batch read from the log, unless this node no longer stands where it was read from. Selectors first, so
    /// that no stamp promises more than is known here; what the floor decides is forgotten last.
    /// </summary>
    public void Apply(IReadOnlyList<Change> changes, Position from, Position position)
    {
        var state = Volatile.Read(ref _state);
        if (!ReferenceEquals(state.Position, from))
            return;
        state.Numbers.Note(changes);
        if (Interlocked.CompareExchange(ref _state, state with { Position = position }, state) != state)
            return;
        if (position.Floor > from.Floor)
            state.Numbers.Forget(position.Floor);
        Interlocked.Increment(ref _version);
    }

    /// <summary>
    /// Takes over changes this node wrote, before it reads them from the log. Where they stand in another log than the one
    /// it has read (of another epoch, or set back, so that numbers are given again), everything stored is in doubt until it
    /// has read that one.
    /// </summary>
    /// <param name="before">Where this node stood before it wrote them.</param>
    /// <param name="epoch">The epoch they were written in: in another one their numbers mean nothing.</param>
    public void ApplyOwn(IReadOnlyList<Change> changes, Position before, long epoch)
    {
        var isSameLog = epoch == before.Epoch && changes[0].Number > before.Number;
        var state = Volatile.Read(ref _state);
        // Where another epoch was read meanwhile, nothing stored before the changes counts any more.
        while (!isSameLog && state.Position.Epoch == before.Epoch)
        {
            Interlocked.CompareExchange(ref _state, State.At(NewDoubt()), state);
            state = Volatile.Read(ref _state);
        }

        if (epoch == state.Position.Epoch)
            state.Numbers.Note(changes);
        Interlocked.Increment(ref _version);
    }

    /// <summary>Numbers and applies changes where no log is shared. Past <paramref name="maxSelectors"/> the floor rises, as the log's does.</summary>
    /// <returns>The number of the last change.</returns>
    public long AppendAlone(IReadOnlyList<Selector> selectors, int maxSelectors)
    {
        lock (_appending)
        {
            var (before, numbers) = Volatile.Read(ref _state);
            var number = before.Number + selectors.Count;
            var floor = numbers.Count + selectors.Count > maxSelectors ? before.Number : before.Floor;
            Apply([.. selectors.Select((selector, i) => new Change(selector, before.Number + 1 + i))], before, before with { Number = number, Floor = floor });
            return number;
        }
    }

    /// <summary>Starts over in another epoch: nothing that was stored before can be compared with it.</summary>
    public void Reset(long epoch, long floor)
    {
        // In one step: numbers of one epoch must never be compared with stamps of another.
        Volatile.Write(ref _state, State.At(new Position(epoch, 0, "", floor)));
        Interlocked.Increment(ref _version);
    }

    /// <summary>
    /// Notes a change that cannot be written now: in force on this node at once. When too many wait, the wider
    /// <paramref name="overflow"/> takes its place.
    /// </summary>
    public void AddPending(Selector selector, Selector overflow)
    {
        var key = _pending.Count < MaxPending || _pending.ContainsKey(selector) ? selector : overflow;
        _pending[key] = Interlocked.Increment(ref _localNumber);
        Interlocked.Increment(ref _version);
    }

    public KeyValuePair<Selector, long>[] GetPending() => _pending.ToArray();

    /// <summary>Replaces a pending change by its number in the log, unless it was made again meanwhile, or the log is another one by now.</summary>
    public void CompletePending(KeyValuePair<Selector, long> pending, long number, long epoch)
    {
        var state = Volatile.Read(ref _state);
        if (epoch != state.Position.Epoch)
            return;
        state.Numbers.Note([new Change(pending.Key, number)]);
        Interlocked.Increment(ref _version);
        _pending.TryRemove(pending);
    }

    // Another one each time: what is stored in one doubt is not current in the next.
    private Position NewDoubt() => Position.Nowhere with { Epoch = Interlocked.Decrement(ref _doubts) };

    /// <summary>How far the log was read, and the numbers read in that epoch: replaced together.</summary>
    private sealed record State(Position Position, Numbers Numbers)
    {
        public static State At(Position position) => new(position, new Numbers());
    }

    private sealed class Numbers
    {
        private volatile bool _hasSoft;

        public ConcurrentDictionary<Selector, long> Hard { get; } = new();

        public ConcurrentDictionary<Selector, long> Soft { get; } = new();

        public bool HasSoft => _hasSoft;

        public int Count => Hard.Count + Soft.Count;

        public void Note(IReadOnlyList<Change> changes)
        {
            foreach (var change in changes)
            {
                var isSoft = change.Selector.TryGetHard(out var selector);
                (isSoft ? Soft : Hard).AddOrUpdate(
                    selector, static (_, number) => number, static (_, old, number) => Math.Max(old, number), change.Number);
                if (isSoft)
                    _hasSoft = true;
            }
        }

        // What lies below the floor is decided by the floor alone.
        public void Forget(long floor)
        {
            foreach (var numbers in new[] { Hard, Soft })
            {
                foreach (var entry in numbers.Where(entry => entry.Value <= floor))
                    numbers.TryRemove(entry);
            }
        }
    }
}

/// <summary>A place in the change log.</summary>
/// <param name="Epoch">Higher whenever the log is found empty or set back; 0 before the first read, below 0 in doubt.</param>
/// <param name="Number">The last number applied.</param>
/// <param name="RecordId">The id of the record with that number: proof that the log still is the one that was read. Empty where unknown.</param>
/// <param name="Floor">Selectors with numbers up to here were trimmed: what was stored before must be revalidated.</param>
internal sealed record Position(long Epoch, long Number, string RecordId, long Floor)
{
    public static Position Nowhere { get; } = new(0, 0, "", 0);
}
