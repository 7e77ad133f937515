namespace Gateway.Redis;

/// <summary>
/// Whether calls are worth making. Open at first; closed by a successful probe; opened by
/// <see cref="FailuresToOpen"/> failures without a success between them.
/// </summary>
internal sealed class RedisCircuit
{
    /// <summary>Three, so that one lost connection or one slow command does not take Redis from every request.</summary>
    public const int FailuresToOpen = 3;

    private int _failures = FailuresToOpen;

    public bool IsOpen => Volatile.Read(ref _failures) >= FailuresToOpen;

    /// <summary>Notes a success of an ordinary call. It does not close an open circuit: only a probe does.</summary>
    public void OnSuccess()
    {
        var seen = Volatile.Read(ref _failures);
        if (seen is > 0 and < FailuresToOpen)
            Interlocked.CompareExchange(ref _failures, 0, seen);
    }

    /// <summary>Notes a failure.</summary>
    /// <returns>Whether this failure opened the circuit.</returns>
    public bool OnFailure()
    {
        while (true)
        {
            var seen = Volatile.Read(ref _failures);
            if (seen >= FailuresToOpen)
                return false;
            if (Interlocked.CompareExchange(ref _failures, seen + 1, seen) == seen)
                return seen + 1 == FailuresToOpen;
        }
    }

    public void Close() => Volatile.Write(ref _failures, 0);
}
