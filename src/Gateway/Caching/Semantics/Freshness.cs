namespace Gateway.Caching.Semantics;

/// <summary>How long a response is fresh, and how old it is. RFC 9111 §4.2. All times in seconds.</summary>
internal static class Freshness
{
    // RFC 9111 §4.2.2 names 10 % of the time since the last modification as typical; a day bounds what nobody asked for.
    private const double HeuristicFraction = 0.1;
    private const long HeuristicLimit = 24 * 60 * 60;

    /// <summary>The freshness lifetime for a shared cache; null when neither the origin nor a heuristic gives one. RFC 9111 §4.2.1.</summary>
    public static long? Lifetime(ResponseFacts response)
    {
        var control = response.CacheControl;
        if (control.SharedMaxAge is { } shared)
            return shared;
        if (control.MaxAge is { } maxAge)
            return maxAge;
        if (response.HasExpires)
            return response.Expires is { } expires ? Math.Max(0, Seconds(expires - response.Date)) : 0;
        return HeuristicLifetime(response);
    }

    /// <summary>The freshness lifetime where a policy may have the word: its time runs from when the response came, whatever age it came with.</summary>
    /// <param name="response">The response.</param>
    /// <param name="policy">What the policy says.</param>
    /// <param name="initialAge">The <see cref="CorrectedInitialAge"/>.</param>
    public static long? Lifetime(ResponseFacts response, in PolicyLifetime policy, long initialAge) =>
        policy.For(response) is { } given ? initialAge + given : Lifetime(response);

    /// <summary>corrected_initial_age. RFC 9111 §4.2.3.</summary>
    /// <param name="response">The response.</param>
    /// <param name="requestTime">When the request was sent.</param>
    /// <param name="responseTime">When the response came.</param>
    public static long CorrectedInitialAge(ResponseFacts response, DateTimeOffset requestTime, DateTimeOffset responseTime)
    {
        var apparentAge = Math.Max(0, Seconds(responseTime - response.Date));
        var responseDelay = Math.Max(0, Seconds(responseTime - requestTime));
        return Math.Max(apparentAge, response.Age + responseDelay);
    }

    /// <summary>current_age; the time in the cache is never negative, whichever node's clock it was counted with. RFC 9111 §4.2.3.</summary>
    public static long CurrentAge(long correctedInitialAge, DateTimeOffset responseTime, DateTimeOffset now) =>
        correctedInitialAge + Math.Max(0, Seconds(now - responseTime));

    /// <summary>Statuses that may be stored without explicit freshness. RFC 9110 §15.1.</summary>
    public static bool IsHeuristicallyCacheable(int status) =>
        status is 200 or 203 or 204 or 300 or 301 or 308 or 404 or 405 or 410 or 414 or 501;

    /// <summary>Whether the origin itself says how long the response is fresh. RFC 9111 §4.2.1.</summary>
    public static bool IsExplicit(ResponseFacts response) =>
        response.CacheControl.SharedMaxAge is not null || response.CacheControl.MaxAge is not null || response.HasExpires;

    private static long? HeuristicLifetime(ResponseFacts response)
    {
        if (response.LastModified is not { } modified)
            return null;
        if (!IsHeuristicallyCacheable(response.Status) && !response.CacheControl.Public)
            return null;
        return Math.Clamp((long)(Seconds(response.Date - modified) * HeuristicFraction), 0, HeuristicLimit);
    }

    private static long Seconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerSecond;
}
