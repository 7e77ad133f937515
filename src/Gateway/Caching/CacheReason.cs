namespace Gateway.Caching;

/// <summary>
/// Why the cache did what it did. The one list behind the <c>Cache-Status</c> field's <c>detail</c>, the metric tag and
/// the log event; the name in kebab case is what they show.
/// </summary>
internal enum CacheReason
{
    /// <summary>Nothing to say.</summary>
    None,

    /// <summary>Reused: fresh. RFC 9111 §4.2.</summary>
    Fresh,

    /// <summary>Reused although stale: the request's <c>max-stale</c> allows it. RFC 9111 §5.2.1.2.</summary>
    StaleAllowedByRequest,

    /// <summary>Reused although stale, and refreshed meanwhile. RFC 5861 §3.</summary>
    StaleWhileRevalidate,

    /// <summary>Reused although stale: the origin answered with an error. RFC 5861 §4.</summary>
    StaleIfError,

    /// <summary>Reused although stale: the origin cannot be reached. RFC 9111 §4.2.4.</summary>
    Disconnected,

    /// <summary>Reused: the origin said that it is unchanged. RFC 9111 §4.3.4.</summary>
    Validated,

    /// <summary>Forwarded: nothing is stored for the URL. RFC 9111 §4.</summary>
    NotStored,

    /// <summary>Forwarded: what is stored for the URL was selected by other request fields. RFC 9111 §4.1.</summary>
    VariantNotStored,

    /// <summary>Forwarded: the stored response is stale. RFC 9111 §4.2.</summary>
    Stale,

    /// <summary>Forwarded: the request says <c>no-cache</c>. RFC 9111 §5.2.1.4.</summary>
    RequestNoCache,

    /// <summary>Forwarded: the request accepts only younger responses (<c>max-age</c>). RFC 9111 §5.2.1.1.</summary>
    RequestMaxAge,

    /// <summary>Forwarded: the request wants longer freshness (<c>min-fresh</c>). RFC 9111 §5.2.1.3.</summary>
    RequestMinFresh,

    /// <summary>Forwarded: the stored response says <c>no-cache</c>. RFC 9111 §5.2.2.4.</summary>
    ResponseNoCache,

    /// <summary>Forwarded: the stored response was purged, or invalidated by an unsafe request. RFC 9111 §4.4.</summary>
    Invalidated,

    /// <summary>Forwarded: whether the stored response was purged is not known (another epoch of the change log, or no lease).</summary>
    ChangesUnknown,

    /// <summary>Not stored: the request has credentials, and the response does not allow sharing; or forwarded, where the policy's <c>Authorization</c> is <c>Bypass</c>. RFC 9111 §3.5.</summary>
    Authorization,

    /// <summary>Answered 504: the request says <c>only-if-cached</c>, and nothing can be reused. RFC 9111 §5.2.1.7.</summary>
    OnlyIfCached,

    /// <summary>Answered 503: as many requests as may already wait for others' fetches (<c>MaxWaitingRequests</c>).</summary>
    TooManyWaiting,

    /// <summary>Forwarded: the method is not cached. RFC 9111 §4.</summary>
    Method,

    /// <summary>Forwarded: an upgrade of the connection, which is no response to store. RFC 9110 §7.8.</summary>
    Upgrade,

    /// <summary>Forwarded: the request has a body, of which the key knows nothing. RFC 9110 §9.3.1.</summary>
    RequestBody,

    /// <summary>Forwarded: the whole of which the request wants a range is not stored. RFC 9111 §3.3.</summary>
    RequestRange,

    /// <summary>Forwarded: a precondition that only the origin can evaluate. RFC 9110 §13.1.1, §13.1.4.</summary>
    RequestPrecondition,

    /// <summary>Forwarded: the target cannot be a key, because it is longer than 16 KB or has no host.</summary>
    Target,

    /// <summary>Not stored: the request says <c>no-store</c>. RFC 9111 §5.2.1.5.</summary>
    RequestNoStore,

    /// <summary>Not stored: the response says <c>no-store</c>. RFC 9111 §5.2.2.5.</summary>
    ResponseNoStore,

    /// <summary>Not stored: the response says <c>private</c>. RFC 9111 §5.2.2.7.</summary>
    ResponsePrivate,

    /// <summary>Not stored: <c>must-understand</c>, and the status is not understood. RFC 9111 §5.2.2.3.</summary>
    StatusNotUnderstood,

    /// <summary>Not stored: a partial (206), not modified (304) or interim response, or one whose status is none. RFC 9111 §3, RFC 9110 §15.</summary>
    Status,

    /// <summary>Not stored: the status is about this one request and not about its target, such as 429 or 431. RFC 6585 §3 to §6.</summary>
    RequestStatus,

    /// <summary>Not stored: <c>Vary: *</c>. RFC 9111 §4.1.</summary>
    VaryAny,

    /// <summary>Not stored: the response sets a cookie, and the policy's <c>SetCookie</c> is <c>Bypass</c>. RFC 9111 §7.3.</summary>
    SetCookie,

    /// <summary>Not stored: nothing says how long it is fresh, and there is no validator. RFC 9111 §3, §4.2.2.</summary>
    NoFreshness,

    /// <summary>Not stored: an event stream does not end.</summary>
    EventStream,

    /// <summary>Not stored: the body is larger than the policy's <c>MaxBodySize</c>, or recordings have used up their memory.</summary>
    BodyTooLarge,

    /// <summary>Not stored: the body ended early or the forwarder failed. RFC 9111 §3.3.</summary>
    Incomplete,
}
