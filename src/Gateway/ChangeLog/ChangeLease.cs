namespace Gateway.ChangeLog;

/// <summary>
/// A node's promise to itself that it knows every change of more than <see cref="Duration"/> ago. Counted on the
/// monotonic clock from before the poll that earned it.
/// </summary>
internal sealed class ChangeLease(TimeProvider time)
{
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);

    // Before the first poll the lease counts as lost since the start.
    private long _heldFrom = time.GetTimestamp() - (long)(Duration.TotalSeconds * time.TimestampFrequency);

    public bool IsHeld => time.GetElapsedTime(Volatile.Read(ref _heldFrom)) < Duration;

    public TimeSpan LostFor
    {
        get
        {
            var lost = time.GetElapsedTime(Volatile.Read(ref _heldFrom)) - Duration;
            return lost > TimeSpan.Zero ? lost : TimeSpan.Zero;
        }
    }

    /// <summary>Renews the lease after a poll that brought this node up to date.</summary>
    /// <param name="sent">The timestamp from before that poll was sent.</param>
    public void Renew(long sent) => Volatile.Write(ref _heldFrom, sent);
}
