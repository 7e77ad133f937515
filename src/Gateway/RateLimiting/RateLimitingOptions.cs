using System.ComponentModel.DataAnnotations;

namespace Gateway.RateLimiting;

/// <summary>Rate limits over all nodes: the policies that routes name by <c>RateLimiterPolicy</c>.</summary>
public sealed class RateLimitingOptions
{
    /// <summary>The configuration section, <c>RateLimiter</c>.</summary>
    public const string SectionName = "RateLimiter";

    /// <summary>Policies by name: 1 to 64 letters, digits, <c>-</c>, <c>_</c> or <c>.</c></summary>
    public IDictionary<string, RateLimitPolicyOptions> Policies { get; } =
        new Dictionary<string, RateLimitPolicyOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// How many identities that a client can invent (headers, cookies, hosts) one address may show a node for the first
    /// time in a minute: 1 to 1,000,000, default 1,000. Those beyond are counted by the address, so that random
    /// identities neither evade limits nor fill Redis.
    /// </summary>
    [Range(1, 1_000_000)]
    public int NewIdentitiesPerMinute { get; set; } = 1000;
}

/// <summary>The limits that hold for a request of a route with this policy: it passes when all of them admit it, and then counts in all of them.</summary>
public sealed class RateLimitPolicyOptions
{
    /// <summary>The limits: 1 to 10.</summary>
    public IList<RateLimitOptions> Limits { get; } = [];

    /// <summary>
    /// Whether answers also carry <c>X-RateLimit-Limit</c>, <c>X-RateLimit-Remaining</c> and <c>X-RateLimit-Reset</c>
    /// (seconds) of the limit that leaves least. Default: false.
    /// </summary>
    public bool LegacyFields { get; set; }
}

/// <summary>One limit.</summary>
public sealed class RateLimitOptions
{
    /// <summary>What clients read in <c>RateLimit</c> and in the problem document: 1 to 64 letters, digits, <c>-</c>, <c>_</c> or <c>.</c>; unique in the policy.</summary>
    public string Name { get; set; } = "";

    /// <summary>How requests are counted. Default: <see cref="RateLimitAlgorithm.FixedWindow"/>.</summary>
    public RateLimitAlgorithm Algorithm { get; set; } = RateLimitAlgorithm.FixedWindow;

    /// <summary>How many permits there are, in a window, a bucket, at the same time or in total: 1 to 1,000,000,000.</summary>
    public long PermitLimit { get; set; }

    /// <summary>The length of a window, 100 ms to 366 days: for <see cref="RateLimitAlgorithm.FixedWindow"/> and <see cref="RateLimitAlgorithm.SlidingWindow"/>.</summary>
    public TimeSpan Window { get; set; }

    /// <summary>In which time <see cref="TokensPerPeriod"/> permits flow back into a bucket, evenly: 100 ms to 366 days, for <see cref="RateLimitAlgorithm.TokenBucket"/>.</summary>
    public TimeSpan ReplenishmentPeriod { get; set; }

    /// <summary>How many permits flow back in <see cref="ReplenishmentPeriod"/>: 1 to 1,000,000,000, so many that a full bucket drains in a hundred years. Default: as many as the bucket holds.</summary>
    public long? TokensPerPeriod { get; set; }

    /// <summary>When a <see cref="RateLimitAlgorithm.Total"/> ends, such as <c>2030-01-31T00:00:00Z</c>: the limit holds no more from then on.</summary>
    public DateTimeOffset? Until { get; set; }

    /// <summary>
    /// Whose requests are counted together, any of: <c>ClientIp</c> (IPv6 by /64), <c>Route</c>, <c>Host</c>,
    /// <c>Header:name</c>, <c>Cookie:name</c>, <c>Claim:type</c>. Several count each combination; none counts all
    /// clients together. What a request lacks is replaced by its client IP.
    /// </summary>
    public IList<string> By { get; } = [];

    /// <summary>How many permits a request takes: 1 to <see cref="PermitLimit"/>, default 1.</summary>
    public long Cost { get; set; } = 1;

    /// <summary>
    /// The request field that says how many permits the request takes; without the field it is <see cref="Cost"/>. What is
    /// no whole number from 1 to 1,000,000,000 is answered 400. Default: none. Clients can write it: have it set by
    /// what stands before the gateway.
    /// </summary>
    public string? CostFromRequest { get; set; }

    /// <summary>
    /// The field of the response that says how many permits the request took, at least 1: one is taken before, the rest
    /// when the response is there, even beyond the limit. Without the field, or where it is no whole number from 1 to
    /// 1,000,000,000, it is 1. Default: none.
    /// </summary>
    public string? CostFromResponse { get; set; }

    /// <summary>What tiers are told apart by, as in <see cref="By"/>, such as <c>Claim:plan</c>. Default: none.</summary>
    public string? TierBy { get; set; }

    /// <summary>The <see cref="PermitLimit"/> of each tier, by the value that <see cref="TierBy"/> finds, ignoring case; at most 100. Other values: <see cref="PermitLimit"/>.</summary>
    public IDictionary<string, long> Tiers { get; } = new Dictionary<string, long>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the limit only counts and reports by metrics what it would reject. Default: false.</summary>
    public bool Shadow { get; set; }

    /// <summary>
    /// What happens to requests while Redis does not answer. Default: <see cref="RateLimiting.WhenRedisIsDown.Allow"/>;
    /// for a <see cref="RateLimitAlgorithm.Total"/> always <see cref="RateLimiting.WhenRedisIsDown.Deny"/>.
    /// </summary>
    public WhenRedisIsDown? WhenRedisIsDown { get; set; }

    /// <summary>
    /// How many permits a node takes from Redis at once, to hand out by itself: for one counter that very many requests
    /// share. 0 (the default) asks Redis for each request. Never more than the limit pass; at most nodes × batch
    /// fewer do. For <see cref="RateLimitAlgorithm.FixedWindow"/> and <see cref="RateLimitAlgorithm.Total"/>, as the
    /// only limit of a policy, of a fixed cost.
    /// </summary>
    public int LeaseBatch { get; set; }
}

/// <summary>How a limit counts.</summary>
public enum RateLimitAlgorithm
{
    /// <summary>A counter that begins with a window's first request and ends with the window. Exact within it.</summary>
    FixedWindow,

    /// <summary>No window of any beginning holds more than the limit. Permits come back up to a hundredth of the window late.</summary>
    SlidingWindow,

    /// <summary>A bucket of permits that fills evenly.</summary>
    TokenBucket,

    /// <summary>So many requests at the same time, WebSockets among them.</summary>
    Concurrency,

    /// <summary>So many requests until a date: the first ones only.</summary>
    Total,
}

/// <summary>What a limit does without Redis.</summary>
public enum WhenRedisIsDown
{
    /// <summary>Requests pass uncounted.</summary>
    Allow,

    /// <summary>Requests are answered 503 with <c>Retry-After</c>.</summary>
    Deny,

    /// <summary>Each node counts by itself: the limit divided by the nodes last known, at least 1.</summary>
    Local,
}
