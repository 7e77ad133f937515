namespace Gateway.Caching.Inspection;

/// <summary>What the cache of one node holds now, and what it has done since the process began. Other nodes answer for themselves.</summary>
/// <param name="Node">The node that answers.</param>
/// <param name="Entries">Targets in memory, each with its response or its variants.</param>
/// <param name="Size">What they take, in bytes.</param>
/// <param name="Limit">What they may take, in bytes.</param>
/// <param name="Hits">Requests answered from the store.</param>
/// <param name="Forwarded">Requests that the store did not answer.</param>
/// <param name="HitsByReason">The same by reason, as <c>Cache-Status</c> names them.</param>
/// <param name="ForwardedByReason">The same by reason.</param>
internal sealed record CacheStatistics(
    string Node, int Entries, long Size, long Limit, long Hits, long Forwarded,
    IReadOnlyDictionary<string, long> HitsByReason, IReadOnlyDictionary<string, long> ForwardedByReason);
