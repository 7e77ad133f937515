namespace Gateway.Caching.Semantics;

/// <summary>Whether a shared cache may store a response. RFC 9111 §3.</summary>
internal static class StorageRules
{
    /// <param name="request">A GET request, or a POST whose response <see cref="IsReusableForGet"/>.</param>
    /// <param name="response">Its response, at the header section.</param>
    /// <param name="policy">What the policy says of storing.</param>
    /// <returns><see cref="CacheReason.None"/> if it may be stored; otherwise why not.</returns>
    public static CacheReason Decide(RequestFacts request, ResponseFacts response, in StoragePolicy policy)
    {
        var control = response.CacheControl;
        if (response.Status is < 200 or 206 or 304 or > 599)
            return CacheReason.Status;
        if (IsAboutOneRequest(response.Status) || (response.Status == 406 && !response.Vary.NamesPreference) || (response.Status >= 400 && request.IsUnusual))
            return CacheReason.RequestStatus;
        if (control.MustUnderstand && !IsUnderstood(response.Status))
            return CacheReason.StatusNotUnderstood;
        // must-understand on an understood status lifts no-store: RFC 9111 §5.2.2.3.
        if (control.NoStore && !control.MustUnderstand)
            return CacheReason.ResponseNoStore;
        if (request.CacheControl.NoStore)
            return CacheReason.RequestNoStore;
        if (control.Private)
            return CacheReason.ResponsePrivate;
        if (request.IsAuthorized && (policy.Authorization == AuthorizationHandling.Bypass || !AllowsSharing(control)))
            return CacheReason.Authorization;
        if (response.Vary.IsAny)
            return CacheReason.VaryAny;
        if (response.SetsCookie && policy.SetCookie == SetCookieHandling.Bypass)
            return CacheReason.SetCookie;
        if (response.IsEventStream)
            return CacheReason.EventStream;
        return IsWorthStoring(response, policy.Lifetime) ? CacheReason.None : CacheReason.NoFreshness;
    }

    /// <summary>Whether the response to a POST may answer later GETs for the same target. RFC 9110 §9.3.3.</summary>
    /// <param name="response">The response.</param>
    /// <param name="isOfTarget">Whether its <c>Content-Location</c> is the target.</param>
    public static bool IsReusableForGet(ResponseFacts response, bool isOfTarget) => isOfTarget && Freshness.IsExplicit(response);

    /// <summary>Whether a response to a request with credentials may be reused for others. RFC 9111 §3.5.</summary>
    public static bool AllowsSharing(CacheControl control) =>
        control.Public || control.MustRevalidate || control.SharedMaxAge is not null;

    // A response without a lifetime can only be revalidated, which takes a validator, and must be one the origin gave
    // some sign of being stored: RFC 9111 §3.
    private static bool IsWorthStoring(ResponseFacts response, in PolicyLifetime policy)
    {
        var control = response.CacheControl;
        if (Freshness.Lifetime(response, policy, initialAge: 0) is not { } lifetime)
            return response.HasValidator && (control.Public || Freshness.IsHeuristicallyCacheable(response.Status));
        return response.HasValidator || (!control.NoCache && (lifetime > 0 || control.StaleWhileRevalidate > 0 || control.StaleIfError > 0));
    }

    /// <summary>Whether a refusal lies in the request, so that it says nothing of the answers to others.</summary>
    public static bool IsOfRequest(CacheReason refusal) =>
        refusal is CacheReason.RequestNoStore or CacheReason.RequestStatus or CacheReason.Authorization;

    // Not about the target: RFC 6585 forbids storing 428, 429, 431 and 511, and the others answer a field, a body or a
    // connection that the key knows nothing of. Stored, one client's request would deny the target to everybody. So would
    // a 406 (RFC 9110 §15.5.7) that does not say by Vary which fields were not acceptable; Accept-Encoding, which servers
    // that compress add to everything, says nothing of that.
    private static bool IsAboutOneRequest(int status) => status is 408 or (>= 411 and <= 413) or (>= 415 and <= 417)
        or 421 or 425 or 426 or 428 or 429 or 431 or 511;

    // The final statuses whose caching behaviour this cache implements.
    private static bool IsUnderstood(int status) =>
        status is 200 or 203 or 204 or 300 or 301 or 302 or 303 or 307 or 308 or 400 or 401 or 403 or 404 or 405 or 410 or 414
            or 500 or 501 or 502 or 503 or 504;
}

/// <summary>What a policy says of storing.</summary>
/// <param name="SetCookie">Of responses that set cookies.</param>
/// <param name="Authorization">Of requests with credentials.</param>
/// <param name="Lifetime">Of freshness.</param>
internal readonly record struct StoragePolicy(SetCookieHandling SetCookie, AuthorizationHandling Authorization, PolicyLifetime Lifetime);

/// <summary>What becomes of requests with credentials: an <c>Authorization</c> field, or an identity that the gateway established.</summary>
public enum AuthorizationHandling
{
    /// <summary>
    /// They may be answered from the store; their own responses are stored only where the origin permits it by
    /// <c>public</c>, <c>must-revalidate</c> or <c>s-maxage</c>. RFC 9111 §3.5.
    /// </summary>
    Origin,

    /// <summary>They go to the origin, and nothing is stored.</summary>
    Bypass,

    /// <summary>
    /// They are treated like requests without, where the gateway itself established who asks (an
    /// <c>AuthorizationPolicy</c>), or the policy varies by the header <c>Authorization</c>: the response to one identity
    /// is reused for <b>all identities</b> that <c>VaryByClaim</c> does not keep apart. Never for requests without
    /// credentials. The origin's <c>private</c> still forbids it.
    /// </summary>
    Share,
}

/// <summary>What becomes of responses that set cookies.</summary>
public enum SetCookieHandling
{
    /// <summary>They are not stored.</summary>
    Bypass,

    /// <summary>They are stored without <c>Set-Cookie</c>; the client whose request fetched them gets it.</summary>
    Strip,

    /// <summary>They are stored and reused with <c>Set-Cookie</c>, as RFC 9111 §7.3 permits: everybody gets the same cookie.</summary>
    Store,
}
