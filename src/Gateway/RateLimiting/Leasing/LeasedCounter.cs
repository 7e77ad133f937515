namespace Gateway.RateLimiting.Leasing;

/// <summary>Permits of one counter, as Redis lent them.</summary>
/// <param name="Count">Permits that this node may hand out.</param>
/// <param name="Used">Permits lent to all nodes.</param>
/// <param name="VoidAt">When they are void, by the monotonic clock.</param>
/// <param name="Which">Which counter they are of: that of the next window, or after a reset, has a higher number; 0: it has lent none.</param>
internal readonly record struct LentPermits(LimitCharge Charge, long Count, long Used, long VoidAt, long Which)
{
    /// <summary>Whether the limit holds no more: the date of a total has passed.</summary>
    public bool IsUnlimited => Count > 0 && Which == 0;
}

/// <summary>The permits of one counter that this node may hand out.</summary>
internal sealed class LeasedCounter(TimeProvider time)
{
    private readonly Lock _gate = new();
    private LentPermits _lent;
    private long _available;
    private long _lastUse = time.GetTimestamp();
    private bool _isDropped;

    /// <summary>Held by whoever asks Redis.</summary>
    public SemaphoreSlim Asking { get; } = new(1, 1);

    /// <summary>The last refusal, and when it came.</summary>
    public (Charge? Charge, long At) Refusal { get; set; }

    /// <summary>Whether it takes no permits any more: another one has taken its place.</summary>
    public bool IsDropped => Volatile.Read(ref _isDropped);

    /// <summary>Whether nobody used it for that long, and nobody waits for it.</summary>
    public bool IsIdle(TimeSpan idle) => Asking.CurrentCount > 0 && time.GetElapsedTime(Volatile.Read(ref _lastUse)) >= idle;

    /// <summary>Hands out what a request takes, where there is as much.</summary>
    public bool TryTake(in LimitCharge charge, out LimitState state)
    {
        var now = time.GetTimestamp();
        state = default;
        lock (_gate)
        {
            _lastUse = now;
            // By another configuration the window may be shorter, or the limit lower.
            if (_available < charge.Cost || _lent.VoidAt <= now || !ReferenceEquals(_lent.Charge.Limit, charge.Limit))
                return false;
            _available -= charge.Cost;
            state = new LimitState(charge.Limit, charge.Permits, _lent.Used - _available, time.GetElapsedTime(now, _lent.VoidAt), TimeSpan.Zero);
            return true;
        }
    }

    /// <summary>Takes over what Redis lent. What was lent of an earlier window, or before a reset, is void.</summary>
    /// <returns>False: it was dropped.</returns>
    public bool TryAdd(in LentPermits lent)
    {
        lock (_gate)
        {
            if (_isDropped)
                return false;
            // It came late, and what is here is of a newer one: it is void itself.
            if (lent.Which > 0 && lent.Which < _lent.Which)
                return true;
            if (lent.Which != _lent.Which)
                _available = 0;
            _available += lent.Count;
            _lent = lent;
            return true;
        }
    }

    /// <summary>Takes what is left and was lent by another configuration.</summary>
    /// <returns>What to give back; nothing: null.</returns>
    public LentPermits? TakeOther(RateLimit limit)
    {
        lock (_gate)
            return ReferenceEquals(_lent.Charge.Limit, limit) ? null : TakeRest();
    }

    /// <summary>Takes what is left, and ends the counter.</summary>
    /// <returns>What to give back; nothing: null.</returns>
    public LentPermits? Drop()
    {
        lock (_gate)
        {
            _isDropped = true;
            return TakeRest();
        }
    }

    private LentPermits? TakeRest()
    {
        var rest = _lent with { Count = _available };
        _available = 0;
        return rest.Count > 0 && rest.VoidAt > time.GetTimestamp() ? rest : null;
    }
}
