namespace Gateway.Caching.Semantics;

/// <summary>For how long after its freshness a response may be used where the origin says nothing, in seconds.</summary>
/// <param name="WhileRevalidate">While it is refreshed. RFC 5861 §3.</param>
/// <param name="IfError">When the origin answers with an error. RFC 5861 §4.</param>
/// <param name="IfUnreachable">When the origin cannot be reached. RFC 9111 §4.2.4.</param>
internal readonly record struct StaleWindows(long WhileRevalidate, long IfError, long IfUnreachable)
{
    /// <summary>The longest of them for a response with <paramref name="control"/>, 0 where it must not be used stale.</summary>
    public long Longest(CacheControl control) =>
        Math.Max(For(CacheReason.StaleWhileRevalidate, control), Math.Max(For(CacheReason.StaleIfError, control), For(CacheReason.Disconnected, control)));

    /// <summary>The window for one <paramref name="reason"/> to use a stale response: the origin's own word, else the policy's.</summary>
    public long For(CacheReason reason, CacheControl control)
    {
        // must-revalidate and its like forbid it whatever else is said: RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.4.
        if (control.MustRevalidate || control.ProxyRevalidate || control.NoCache)
            return 0;
        var said = reason == CacheReason.StaleWhileRevalidate ? control.StaleWhileRevalidate : control.StaleIfError;
        if (said is { } window)
            return window;
        // s-maxage implies proxy-revalidate (RFC 9111 §5.2.2.10), unless the origin asks for the opposite in so many words.
        if (control.SharedMaxAge is not null)
            return 0;
        return reason switch
        {
            CacheReason.StaleWhileRevalidate => WhileRevalidate,
            CacheReason.StaleIfError => IfError,
            _ => IfUnreachable,
        };
    }
}
