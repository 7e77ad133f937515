namespace Gateway.Caching.Fetch;

/// <summary>How many requests of this process wait for fetches that others make.</summary>
internal sealed class WaitingRequests(int limit)
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <returns>Whether the caller may wait, and then calls <see cref="Leave"/>.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= limit)
            return true;
        Interlocked.Decrement(ref _count);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _count);
}
