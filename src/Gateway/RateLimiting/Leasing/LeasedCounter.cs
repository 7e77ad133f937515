namespace Gateway.RateLimiting.Leasing;

/// <summary>The permits of one counter that this node may hand out.</summary>
internal sealed class LeasedCounter(TimeProvider time)
{
    /// <summary>How far two ends of one window may differ, in ms: they are computed from times in whole milliseconds.</summary>
    public const int SameWindow = 20;

    private readonly Lock _gate = new();
    private LimitCharge _charge;
    private long _available;
    private long _used;
    private long _permits;
    private long _voidAt;
    private long _lastUse;

    /// <summary>Held by whoever asks Redis.</summary>
    public SemaphoreSlim Asking { get; } = new(1, 1);

    /// <summary>When the window ends by Redis, in ms since 1970.</summary>
    public long Ends { get; private set; }

    /// <summary>Whether it was dropped: what it would lease could not be given back.</summary>
    public bool IsDropped { get; set; }

    /// <summary>The last refusal, and when it came.</summary>
    public (Charge? Charge, long At) Refusal { get; set; }

    public TimeSpan IdleFor => time.GetElapsedTime(Volatile.Read(ref _lastUse));

    public Charge? TryTake(in LimitCharge charge)
    {
        lock (_gate)
        {
            _lastUse = time.GetTimestamp();
            var left = time.GetElapsedTime(_lastUse, _voidAt);
            if (left <= TimeSpan.Zero)
                _available = 0;
            if (_available < charge.Cost || _permits != charge.Permits)
                return null;
            _available -= charge.Cost;
            return new Charge(true, [new LimitState(charge.Limit, charge.Permits, _used - _available, left, TimeSpan.Zero)]);
        }
    }

    /// <summary>Takes over what Redis lent.</summary>
    /// <param name="used">Permits lent to all nodes.</param>
    /// <param name="voidAt">When they are void, by the monotonic clock.</param>
    /// <param name="ends">When their window ends, by Redis.</param>
    public void Add(long lent, long used, long voidAt, long ends, in LimitCharge charge)
    {
        lock (_gate)
        {
            // Permits of the same window add up; those of another are void.
            if (Math.Abs(ends - Ends) > SameWindow || _permits != charge.Permits)
                _available = 0;
            _available += lent;
            (_used, _voidAt, _permits, _charge, Ends) = (used, voidAt, charge.Permits, charge, ends);
        }
    }

    /// <summary>What is left in the running window, which is not available any more.</summary>
    public long TakeRest(out LimitCharge charge)
    {
        lock (_gate)
        {
            charge = _charge;
            var rest = time.GetElapsedTime(time.GetTimestamp(), _voidAt) > TimeSpan.Zero ? _available : 0;
            _available = 0;
            return rest;
        }
    }
}
