namespace Gateway.Caching.Semantics;

/// <summary>How long a policy wants responses to be fresh, in seconds from when they come; null where it says nothing.</summary>
/// <param name="Ttl">In place of what the origin says.</param>
/// <param name="DefaultTtl">Where the origin says nothing.</param>
internal readonly record struct PolicyLifetime(long? Ttl, long? DefaultTtl)
{
    /// <summary>The policy's word on a response; null where the origin's counts. A policy cannot mean statuses that no cache keeps untold: RFC 9110 §15.1.</summary>
    public long? For(ResponseFacts response)
    {
        if (!Freshness.IsHeuristicallyCacheable(response.Status))
            return null;
        return Ttl ?? (Freshness.IsExplicit(response) ? null : DefaultTtl);
    }
}
