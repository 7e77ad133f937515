using Gateway.Caching.Storage;

namespace Gateway.Caching.Semantics;

/// <summary>Whether a stored response may answer a request without asking the origin. RFC 9111 §4.</summary>
internal static class ReuseRules
{
    /// <param name="request">The request.</param>
    /// <param name="stored">The stored response that its fields select.</param>
    /// <param name="windows">The policy's word on stale responses.</param>
    /// <param name="now">The time, on the clock that <paramref name="stored"/> was stored with.</param>
    /// <returns>Whether to reuse it, and why; a response that is not reused is revalidated.</returns>
    public static Reuse Decide(RequestFacts request, StoredResponse stored, in StaleWindows windows, DateTimeOffset now)
    {
        var control = request.CacheControl;
        var age = stored.CurrentAge(now);
        if (control.NoCache)
            return Revalidate(CacheReason.RequestNoCache, age);
        if (stored.CacheControl.NoCache)
            return Revalidate(CacheReason.ResponseNoCache, age);
        if (control.MaxAge < age)
            return Revalidate(CacheReason.RequestMaxAge, age);

        var remaining = stored.FreshnessLifetime - age;
        if (remaining > 0)
        {
            return control.MinFresh > remaining
                ? Revalidate(CacheReason.RequestMinFresh, age)
                : new Reuse(true, CacheReason.Fresh, age);
        }

        if (control.MaxStale >= -remaining && MayServeStale(stored.CacheControl))
            return new Reuse(true, CacheReason.StaleAllowedByRequest, age);
        return AcceptsStale(control) && windows.For(CacheReason.StaleWhileRevalidate, stored.CacheControl) > -remaining
            ? new Reuse(true, CacheReason.StaleWhileRevalidate, age)
            : Revalidate(CacheReason.Stale, age);
    }

    /// <summary>Whether a stale response may stand in for the origin's failure.</summary>
    /// <param name="request">The request.</param>
    /// <param name="stored">The stored response that its fields select.</param>
    /// <param name="failure"><see cref="CacheReason.StaleIfError"/> or <see cref="CacheReason.Disconnected"/>.</param>
    /// <param name="windows">The policy's word on stale responses.</param>
    /// <param name="now">The time, on the clock that <paramref name="stored"/> was stored with.</param>
    public static bool MayReplaceFailure(
        RequestFacts request, StoredResponse stored, CacheReason failure, in StaleWindows windows, DateTimeOffset now) =>
        AcceptsStale(request.CacheControl)
        // Also one that is fresh and had to be validated all the same: without a window it may not be used, whatever its age.
        && windows.For(failure, stored.CacheControl) > Math.Max(0, stored.CurrentAge(now) - stored.FreshnessLifetime);

    /// <summary>How an origin failed: <see cref="CacheReason.Disconnected"/>, <see cref="CacheReason.StaleIfError"/>, or <see cref="CacheReason.None"/>.</summary>
    public static CacheReason FailureOf(int status, bool isUnreachable) =>
        isUnreachable ? CacheReason.Disconnected : IsFailure(status) ? CacheReason.StaleIfError : CacheReason.None;

    /// <summary>Whether an origin's answer is an error that <c>stale-if-error</c> is about. RFC 5861 §4.</summary>
    public static bool IsFailure(int status) => status is 500 or 502 or 503 or 504;

    // A client that sets bounds wants no stale response unless it says how stale: RFC 9111 §5.2.1.1, §5.2.1.3.
    private static bool AcceptsStale(CacheControl request) =>
        !request.NoCache && request.MinFresh is null && (request.MaxAge is null || request.MaxStale is not null);

    // Whether staleness may be disregarded at all: RFC 9111 §4.2.4; s-maxage implies proxy-revalidate (§5.2.2.10).
    private static bool MayServeStale(CacheControl control) =>
        !control.MustRevalidate && !control.ProxyRevalidate && !control.NoCache && control.SharedMaxAge is null;

    private static Reuse Revalidate(CacheReason reason, long age) => new(false, reason, age);
}

/// <summary>What came of <see cref="ReuseRules.Decide"/>.</summary>
/// <param name="IsAllowed">Whether the stored response answers the request as it is.</param>
/// <param name="Reason">Why, or why not.</param>
/// <param name="Age">Its current age in seconds.</param>
internal readonly record struct Reuse(bool IsAllowed, CacheReason Reason, long Age);
