namespace Gateway.Caching.Explain;

/// <summary>What to explain.</summary>
/// <param name="Url">The absolute URL as clients see it.</param>
/// <param name="Method">The method; <c>GET</c> where absent.</param>
/// <param name="Fields">The request's fields by name, such as <c>Accept-Encoding</c>; without <c>Host</c>, which is the URL's.</param>
internal sealed record ExplainRequest(string? Url, string? Method = null, IReadOnlyDictionary<string, string>? Fields = null);

/// <summary>What this node would do with a request now. Keys are hashes, as in Redis.</summary>
internal sealed record CacheExplanation
{
    /// <summary><c>serve</c>, <c>revalidate</c>, <c>forward</c>, <c>refuse</c> (without asking the origin), or <c>not-cached</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why: as in the <c>detail</c> of <c>Cache-Status</c>, or in words where the cache has no part in it.</summary>
    public required string Reason { get; init; }

    /// <summary>The id of the route that matches.</summary>
    public string? Route { get; init; }

    public string? Policy { get; init; }

    /// <summary>The canonical URL that purges name: without the query keys that do not count.</summary>
    public string? Url { get; init; }

    /// <summary>The primary key, hashed: the name in Redis of the response, or of the index of its variants.</summary>
    public string? Key { get; init; }

    /// <summary>Whether the request has credentials that only the origin's word can share. RFC 9111 §3.5.</summary>
    public bool? IsAuthorized { get; init; }

    /// <summary>Where the decision's stored response is: <c>memory</c> or <c>redis</c>.</summary>
    public string? Tier { get; init; }

    public ExplainedResponse? Memory { get; init; }

    public ExplainedResponse? Redis { get; init; }

    public ExplainedVariants? Variants { get; init; }

    public ExplainedFetch? Fetch { get; init; }

    public ExplainedChanges? Changes { get; init; }
}

/// <summary>A stored response that the request selects.</summary>
/// <param name="Key">Its key, hashed.</param>
/// <param name="Reuse">What the rules say of it, as in <c>Cache-Status</c>.</param>
/// <param name="IsReusable">Whether it answers the request as it is.</param>
/// <param name="Status">Its status code.</param>
/// <param name="AgeSeconds">Its current age. RFC 9111 §4.2.3.</param>
/// <param name="LifetimeSeconds">Its freshness lifetime. RFC 9111 §4.2.1.</param>
/// <param name="TtlSeconds">What is left of it; negative where stale.</param>
/// <param name="CameAt">When it came from the origin, by the clock of Redis.</param>
/// <param name="BodyBytes">The length of its body.</param>
/// <param name="ETag">Its entity tag.</param>
/// <param name="LastModified">When it last changed, as the origin wrote it.</param>
/// <param name="VaryBy">The fields that selected it.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="Changes">What the change log says: <c>current</c>, <c>changed</c> or <c>unknown</c>.</param>
/// <param name="StoredAfter">The last change that its node had applied when it asked for it.</param>
internal sealed record ExplainedResponse(
    string Key, string Reuse, bool IsReusable, int Status, long AgeSeconds, long LifetimeSeconds, long TtlSeconds, DateTimeOffset CameAt, int BodyBytes,
    string? ETag, string? LastModified, IReadOnlyList<string> VaryBy, IReadOnlyList<string> Tags, string Changes, long StoredAfter);

/// <summary>What is known of the variants of the URL.</summary>
/// <param name="Fields">By which fields, in the order of the latest.</param>
/// <param name="Keys">The keys of the variants, hashed, the latest first.</param>
internal sealed record ExplainedVariants(IReadOnlyList<IReadOnlyList<string>> Fields, IReadOnlyList<string> Keys);

/// <summary>Whether the response is being fetched.</summary>
/// <param name="IsUnderWayHere">Whether this process fetches it.</param>
/// <param name="IsLockHeld">Whether a node holds the fetch lock; null where that is not known.</param>
/// <param name="IsHitForMiss">Whether its last response could not be shared, so that requests do not wait for each other.</param>
internal sealed record ExplainedFetch(bool IsUnderWayHere, bool? IsLockHeld, bool IsHitForMiss);

/// <summary>What this node knows of changes.</summary>
/// <param name="HasLease">Whether it counts on knowing all.</param>
/// <param name="Epoch">The epoch of the change log.</param>
/// <param name="Number">The last change it has applied.</param>
internal sealed record ExplainedChanges(bool HasLease, long Epoch, long Number);
