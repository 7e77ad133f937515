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

    private readonly ConcurrentDictionary<Selector, long> _numbers = new();
    private readonly ConcurrentDictionary<Selector, long> _soft = new();
    private readonly ConcurrentDictionary<Selector, long> _pending = new();
    private readonly Lock _appending = new();
    private Position _position = Position.Nowhere;
    private long _localNumber;
    private long _version = 1;
    private volatile bool _hasSoft;

    /// <summary>Rises with every change: what was found current at a version is current for as long as that version stands.</summary>
    public long Version => Volatile.Read(ref _version);

    public Position Position => Volatile.Read(ref _position);

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
        var position = Position;
        if (stamp.Epoch != position.Epoch || stamp.Number < position.Floor)
            return ChangeVerdict.Unknown;

        var (hasPending, isStale) = (!_pending.IsEmpty, false);
        foreach (var selector in selectors)
        {
            if (_numbers.TryGetValue(selector, out var number) && number > stamp.Number)
                return ChangeVerdict.Changed;
            if (hasPending && _pending.TryGetValue(selector, out number) && number > stamp.LocalNumber)
                return ChangeVerdict.Changed;
            isStale |= _hasSoft && _soft.TryGetValue(selector, out number) && number > stamp.Number;
        }

        return isStale ? ChangeVerdict.Stale : ChangeVerdict.Current;
    }

    /// <summary>Takes over a batch read from the log. Selectors first, so that no stamp promises more than is known here.</summary>
    public void Apply(IReadOnlyList<Change> changes, Position position)
    {
        foreach (var change in changes)
            Note(change);
        if (position.Floor > Position.Floor)
            Forget(position.Floor);
        Volatile.Write(ref _position, position);
        Interlocked.Increment(ref _version);
    }

    /// <summary>Takes over a change this node wrote, before it reads it from the log.</summary>
    public void ApplyOwn(Change change)
    {
        Note(change);
        Interlocked.Increment(ref _version);
    }

    /// <summary>Numbers and applies changes where no log is shared. Past <paramref name="maxSelectors"/> the floor rises, as the log's does.</summary>
    /// <returns>The number of the last change.</returns>
    public long AppendAlone(IReadOnlyList<Selector> selectors, int maxSelectors)
    {
        lock (_appending)
        {
            var before = Position;
            var number = before.Number + selectors.Count;
            var floor = _numbers.Count + _soft.Count + selectors.Count > maxSelectors ? before.Number : before.Floor;
            Apply([.. selectors.Select((selector, i) => new Change(selector, before.Number + 1 + i))], before with { Number = number, Floor = floor });
            return number;
        }
    }

    /// <summary>Starts over in another epoch: nothing that was stored before can be compared with it.</summary>
    public void Reset(long epoch, long floor)
    {
        _numbers.Clear();
        _soft.Clear();
        Volatile.Write(ref _position, new Position(epoch, 0, "", floor));
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

    /// <summary>Replaces a pending change by its number in the log, unless it was made again meanwhile.</summary>
    public void CompletePending(KeyValuePair<Selector, long> pending, long number)
    {
        ApplyOwn(new Change(pending.Key, number));
        _pending.TryRemove(pending);
    }

    private void Note(Change change)
    {
        var isSoft = change.Selector.TryGetHard(out var selector);
        (isSoft ? _soft : _numbers).AddOrUpdate(
            selector, static (_, number) => number, static (_, old, number) => Math.Max(old, number), change.Number);
        if (isSoft)
            _hasSoft = true;
    }

    // What lies below the floor is decided by the floor alone.
    private void Forget(long floor)
    {
        foreach (var numbers in new[] { _numbers, _soft })
        {
            foreach (var entry in numbers.Where(entry => entry.Value <= floor))
                numbers.TryRemove(entry);
        }
    }
}

/// <summary>A place in the change log.</summary>
/// <param name="Epoch">Chosen at random whenever the log is found empty or set back; 0 before the first read.</param>
/// <param name="Number">The last number applied.</param>
/// <param name="RecordId">The id of the record with that number: proof that the log still is the one that was read. Empty where unknown.</param>
/// <param name="Floor">Selectors with numbers up to here were trimmed: what was stored before must be revalidated.</param>
internal sealed record Position(long Epoch, long Number, string RecordId, long Floor)
{
    public static Position Nowhere { get; } = new(0, 0, "", 0);
}
