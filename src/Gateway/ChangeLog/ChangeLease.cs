namespace Gateway.ChangeLog;

/// <summary>
/// A node's promise to itself that it knows every change of more than <see cref="Duration"/> ago. Counted on the
/// monotonic clock from before the poll that earned it.
/// </summary>
/// <remarks>
/// A node that comes, or was away for so long that nobody waited for it, earns it only after it was up to date for
/// <see cref="Settling"/>: the log it finds may have been set back meanwhile, which only those who read further can tell.
/// They poll within that time, and begin a new epoch.
/// </remarks>
internal sealed class ChangeLease
{
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);

    /// <summary>Two intervals of the poll.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private long _heldFrom;
    private long _lastPoll;
    private long _upToDateSince;

    // Before the first poll the lease counts as lost since the start.
    public ChangeLease(TimeProvider time)
    {
        _time = time;
        _heldFrom = _lastPoll = time.GetTimestamp() - (long)(Duration.TotalSeconds * time.TimestampFrequency);
    }

    public bool IsHeld => _time.GetElapsedTime(Volatile.Read(ref _heldFrom)) < Duration;

    public TimeSpan LostFor
    {
        get
        {
            var lost = _time.GetElapsedTime(Volatile.Read(ref _heldFrom)) - Duration;
            return lost > TimeSpan.Zero ? lost : TimeSpan.Zero;
        }
    }

    /// <summary>Renews the lease after a poll that brought this node up to date. The poller's alone.</summary>
    /// <param name="sent">The timestamp from before that poll was sent.</param>
    public void Renew(long sent)
    {
        if (_time.GetElapsedTime(_lastPoll, sent) >= Duration)
            _upToDateSince = sent;
        _lastPoll = sent;
        if (_time.GetElapsedTime(_upToDateSince, sent) >= Settling)
            Volatile.Write(ref _heldFrom, sent);
    }
}
