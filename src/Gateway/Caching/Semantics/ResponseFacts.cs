namespace Gateway.Caching.Semantics;

/// <summary>What the rules need to know of a response from the origin.</summary>
internal sealed record ResponseFacts
{
    public required int Status { get; init; }

    /// <summary>The directives in force: those of <c>CDN-Cache-Control</c> where it is valid, else of <c>Cache-Control</c>. RFC 9213 §2.2.</summary>
    public CacheControl CacheControl { get; init; }

    /// <summary>The <c>Date</c> field, or when the response came if there is none. RFC 9110 §6.6.1.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>The <c>Age</c> field in seconds, 0 if there is none. RFC 9111 §5.1.</summary>
    public long Age { get; init; }

    /// <summary>Whether there is an <c>Expires</c> field that counts, valid or not: beside targeted directives it does not. RFC 9213 §2.2.</summary>
    public bool HasExpires { get; init; }

    /// <summary>The <c>Expires</c> field; null where absent or no date, which means: in the past. RFC 9111 §5.3.</summary>
    public DateTimeOffset? Expires { get; init; }

    public DateTimeOffset? LastModified { get; init; }

    public string? ETag { get; init; }

    public VaryRule Vary { get; init; } = VaryRule.None;

    /// <summary>Whether the origin sets cookies; cookies that the gateway sets itself do not count.</summary>
    public bool SetsCookie { get; init; }

    public bool IsEventStream { get; init; }

    public bool HasValidator => ETag is not null || LastModified is not null;
}

/// <summary>What the rules need to know of a request.</summary>
internal sealed record RequestFacts
{
    public CacheControl CacheControl { get; init; }

    /// <summary>Whether the request carries <c>Authorization</c>, or the gateway established an identity for it. RFC 9111 §3.5.</summary>
    public bool IsAuthorized { get; init; }

    /// <summary>How long all fields of a request can be, in characters, before an origin may find them too large: many take 8 KB, and add some themselves.</summary>
    public const int UsualLength = 4096;

    /// <summary>
    /// Whether it has a field that is not valid, and that the server let through (RFC 9110 §5.5), or more in its fields
    /// than <see cref="UsualLength"/>: an error may be about that.
    /// </summary>
    public bool IsUnusual { get; init; }

    public string? IfNoneMatch { get; init; }

    public string? IfModifiedSince { get; init; }

    /// <summary>The <c>Range</c> field of a GET; other methods have none. RFC 9110 §14.2.</summary>
    public string? Range { get; init; }

    public string? IfRange { get; init; }

    /// <summary>Whether the client made the request conditional in a way the cache answers. RFC 9111 §4.3.2.</summary>
    public bool IsConditional => IfNoneMatch is not null || IfModifiedSince is not null;
}
