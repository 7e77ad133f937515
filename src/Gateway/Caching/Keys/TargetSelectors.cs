using Gateway.ChangeLog;

namespace Gateway.Caching.Keys;

/// <summary>How the change log can name whatever is stored for a target: all, its route, its URL, and the prefixes that is below.</summary>
internal static class TargetSelectors
{
    private const int Places = 1024;

    // Most targets share theirs with many others, and each costs a hash. The latest wins its place.
    private static readonly KnownPrefix?[] Known = new KnownPrefix?[Places];

    /// <param name="routeId">The route that matched.</param>
    /// <param name="url">The target's URL, as it is stored.</param>
    public static Selector[] Of(string routeId, string url)
    {
        Span<int> ends = stackalloc int[CacheKey.MaxPrefixDepth + 1];
        ends = ends[..CacheKey.PrefixEnds(url, ends)];
        // What a prefix names itself, it names as a URL too.
        if (ends[^1] == url.Length)
            ends = ends[..^1];

        var selectors = new Selector[3 + ends.Length];
        selectors[0] = Selector.All;
        selectors[1] = Selector.Route(routeId);
        selectors[2] = Selector.Url(url);
        for (var i = 0; i < ends.Length; i++)
            selectors[3 + i] = PrefixOf(url.AsSpan(0, ends[i]));
        return selectors;
    }

    /// <summary>What stands for a prefix in a change: those below it, and what has the prefix itself as its URL.</summary>
    public static Selector[] OfPrefix(string prefix) => [Selector.UrlPrefix(prefix), Selector.Url(prefix)];

    private static Selector PrefixOf(ReadOnlySpan<char> prefix)
    {
        ref var place = ref Known[(uint)string.GetHashCode(prefix, StringComparison.Ordinal) % Places];
        if (Volatile.Read(ref place) is { } known && prefix.SequenceEqual(known.Prefix))
            return known.Selector;
        var added = new KnownPrefix(prefix.ToString(), Selector.UrlPrefix(prefix));
        Volatile.Write(ref place, added);
        return added.Selector;
    }

    private sealed record KnownPrefix(string Prefix, Selector Selector);
}
