namespace Gateway.Caching.Storage;

/// <summary>
/// Writes to Redis that no request waits for: others may find the response a moment later, and the client's next request
/// need not wait for that.
/// </summary>
internal sealed class UnawaitedWrites
{
    /// <summary>How many are under way at most; each further one is waited for.</summary>
    public const int Max = 1000;

    private int _count;

    /// <summary>How many are under way.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Lets a write end by itself, where there is room for one more.</summary>
    public Task Add(ValueTask<bool> write)
    {
        if (write.IsCompleted)
            return write.AsTask();
        var isRoom = Interlocked.Increment(ref _count) <= Max;
        var ending = EndAsync(write);
        return isRoom ? Task.CompletedTask : ending;
    }

    private async Task EndAsync(ValueTask<bool> write)
    {
        try
        {
            await write;
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
