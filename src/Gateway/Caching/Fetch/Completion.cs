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
            var state = Volatile.Read(ref _state);
            if (state is null)
            {
                // Those who wait go on where the pool has room, not on the time of who sets it.
                var waited = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
                state = Interlocked.CompareExchange(ref _state, waited, null) ?? waited;
            }

            return state is TaskCompletionSource<T> source ? source.Task : System.Threading.Tasks.Task.FromResult((T)state);
        }
    }

    public bool TrySet(T result)
    {
        var state = Volatile.Read(ref _state);
        if (state is null)
        {
            state = Interlocked.CompareExchange(ref _state, result, null);
            if (state is null)
                return true;
        }

        return state is TaskCompletionSource<T> source && source.TrySetResult(result);
    }
}
