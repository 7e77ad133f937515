namespace Gateway.RateLimiting;

/// <summary>Rate limits over all nodes: the policies that routes name by <c>RateLimiterPolicy</c>.</summary>
public sealed class RateLimitingOptions
{
    /// <summary>The configuration section, <c>RateLimiter</c>.</summary>
    public const string SectionName = "RateLimiter";

    /// <summary>Policies by name: 1 to 64 letters, digits, <c>-</c>, <c>_</c> or <c>.</c></summary>
    public IDictionary<string, RateLimitPolicyOptions> Policies { get; } =
        new Dictionary<string, RateLimitPolicyOptions>(StringComparer.OrdinalIgnoreCase);
}

/// <summary>The limits that hold for a request of a route with this policy: it passes when all of them admit it, and then counts in all of them.</summary>
public sealed class RateLimitPolicyOptions
{
    /// <summary>The limits: 1 to 10.</summary>
    public IList<RateLimitOptions> Limits { get; } = [];
}

/// <summary>One limit.</summary>
public sealed class RateLimitOptions
{
    /// <summary>What clients read in <c>RateLimit</c> and in the problem document: 1 to 64 letters, digits, <c>-</c>, <c>_</c> or <c>.</c>; unique in the policy.</summary>
    public string Name { get; set; } = "";

    /// <summary>How requests are counted. Default: <see cref="RateLimitAlgorithm.FixedWindow"/>.</summary>
    public RateLimitAlgorithm Algorithm { get; set; } = RateLimitAlgorithm.FixedWindow;

    /// <summary>How many requests pass in a window: 1 to 1,000,000,000.</summary>
    public long PermitLimit { get; set; }

    /// <summary>The length of a window, which begins with its first request: 100 ms to 366 days.</summary>
    public TimeSpan Window { get; set; }

    /// <summary>
    /// Whose requests are counted together, any of: <c>ClientIp</c> (IPv6 by /64), <c>Route</c>, <c>Header:name</c>,
    /// <c>Claim:type</c>. Several count each combination; none counts all clients together. A request without the
    /// header or claim is counted by its client IP instead.
    /// </summary>
    public IList<string> By { get; } = [];

    /// <summary>What happens to requests while Redis does not answer. Default: <see cref="WhenRedisIsDown.Allow"/>.</summary>
    public WhenRedisIsDown WhenRedisIsDown { get; set; } = WhenRedisIsDown.Allow;
}

/// <summary>How a limit counts.</summary>
public enum RateLimitAlgorithm
{
    /// <summary>A counter that begins with a window's first request and ends with the window.</summary>
    FixedWindow,
}

/// <summary>What a limit does without Redis.</summary>
public enum WhenRedisIsDown
{
    /// <summary>Requests pass uncounted.</summary>
    Allow,

    /// <summary>Requests are answered 503 with <c>Retry-After</c>.</summary>
    Deny,
}
