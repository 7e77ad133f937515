namespace Gateway.ChangeLog;

/// <summary>
/// Since when the Redis that this node talks to has forgotten nothing, as far as this node can tell. A Redis that was
/// emptied or set back has forgotten which nodes polled it, so it cannot say which of them hold a lease: only time can.
/// </summary>
internal sealed class LogContinuity(TimeProvider time)
{
    // What was before this node came it cannot tell.
    private long _since = time.GetTimestamp();

    /// <summary>Whether every lease that Redis may have forgotten has run out.</summary>
    public bool OutlastsLeases => time.GetElapsedTime(Volatile.Read(ref _since)) > ChangeLease.Duration;

    /// <summary>Notes that Redis may have forgotten something until now.</summary>
    public void Interrupt() => Volatile.Write(ref _since, time.GetTimestamp());
}
