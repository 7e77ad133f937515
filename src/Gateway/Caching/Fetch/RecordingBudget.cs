namespace Gateway.Caching.Fetch;

/// <summary>The memory that responses may take while they are recorded, all fetches together.</summary>
internal sealed class RecordingBudget(long limit)
{
    private long _used;

    public long Used => Volatile.Read(ref _used);

    /// <returns>Whether there was room; if not, nothing is reserved.</returns>
    public bool TryReserve(long bytes)
    {
        if (Interlocked.Add(ref _used, bytes) <= limit)
            return true;
        Interlocked.Add(ref _used, -bytes);
        return false;
    }

    public void Release(long bytes) => Interlocked.Add(ref _used, -bytes);
}
