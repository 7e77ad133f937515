namespace Gateway.Hosting.EventLoop;

/// <summary>
/// How long one connection may keep the thread that serves many: a client that sends requests without a pause, or an
/// origin that sends a long body as fast as it is read, would never let that thread go back to the other connections.
/// After <see cref="MaxReads"/> reads in a row it goes on in the thread pool, and there after as many more at the end of
/// the queue: new connections begin in it.
/// </summary>
internal static class Turn
{
    /// <summary>Half a millisecond of hits, or 2 MB of a body.</summary>
    public const int MaxReads = 32;

    [ThreadStatic]
    private static object? _holder;

    [ThreadStatic]
    private static int _reads;

    /// <summary>Counts a read. Any other connection's read on this thread begins a new turn, because then the thread is shared already.</summary>
    public static bool IsOver(object connection)
    {
        if (!ReferenceEquals(_holder, connection))
        {
            _holder = connection;
            _reads = 0;
            return false;
        }

        if (++_reads < MaxReads)
            return false;
        _reads = 0;
        return true;
    }
}
