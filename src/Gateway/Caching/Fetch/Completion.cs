namespace Gateway.Caching.Fetch;

/// <summary>A result that may be waited for, and costs next to nothing where nobody does. The first one set counts.</summary>
internal struct Completion<T>
    where T : struct
{
    // Nothing yet, the result, or what those wait for who came before it.
    private object? _state;

    public Task<T> Task
    {
        get
        {
            // Those who wait go on where the pool has room, not on the time of who sets it.
            if (Volatile.Read(ref _state) is null)
                Interlocked.CompareExchange(ref _state, new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously), null);
            return Volatile.Read(ref _state) is TaskCompletionSource<T> source ? source.Task : System.Threading.Tasks.Task.FromResult((T)_state!);
        }
    }

    public bool TrySet(T result)
    {
        var before = Volatile.Read(ref _state) ?? Interlocked.CompareExchange(ref _state, result, null);
        return before is null || (before is TaskCompletionSource<T> source && source.TrySetResult(result));
    }
}
