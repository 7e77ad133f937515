using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using System.Runtime.CompilerServices;

namespace Gateway.RateLimiting;

/// <summary>A limit as requests use it.</summary>
internal sealed record RateLimit(string Name, RateLimitAlgorithm Algorithm, long PermitLimit, IReadOnlyList<IdentityPart> By)
{
    /// <summary>The window, or the time in which <see cref="PermitLimit"/> permits flow back into a bucket; else zero.</summary>
    public TimeSpan Span { get; init; }

    /// <summary>When a total ends.</summary>
    public DateTimeOffset Until { get; init; }

    public long Cost { get; init; } = 1;

    public string? CostFromRequest { get; init; }

    public string? CostFromResponse { get; init; }

    public IdentityPart? TierBy { get; init; }

    public FrozenDictionary<string, long> Tiers { get; init; } = FrozenDictionary<string, long>.Empty;

    public bool IsShadow { get; init; }

    public WhenRedisIsDown WhenRedisIsDown { get; init; }

    public int LeaseBatch { get; init; }

    /// <summary>As fields tell it. Names are letters, digits, '-', '_' and '.': nothing to escape in a String of RFC 9651 §3.3.3.</summary>
    public string QuotedName { get; } = $"\"{Name}\"";

    /// <summary>What metrics tell of the limit.</summary>
    public StripedCounts Counts { get; init; } = RateLimitingMetrics.NewCounts();

    /// <summary>Whether a client can make up the identity it is counted by.</summary>
    public bool CanBeInvented { get; } = By.Any(part => part.CanBeInvented);

    /// <summary>
    /// What clients are called here, by what they are told apart by, at most <see cref="RequestCharges.MaxKnownClients"/>:
    /// hashing an identity and writing its keys for each request costs more than finding them.
    /// </summary>
    public ConcurrentDictionary<string, KnownClient> KnownClients { get; } = new(StringComparer.Ordinal);

    /// <summary>As <see cref="KnownClients"/>, by address, where that alone tells clients apart.</summary>
    public ConcurrentDictionary<IPAddress, KnownClient> KnownAddresses { get; } = new();

    /// <summary>Whether clients are told apart by their addresses alone.</summary>
    public bool CountsAddresses { get; } = By is [{ Source: IdentitySource.ClientIp }];

    /// <summary>Two limits are never alike: what was made by another configuration is another limit.</summary>
    public bool Equals(RateLimit? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

    public static RateLimit Of(RateLimitOptions options, StripedCounts counts) =>
        new(options.Name, options.Algorithm, options.PermitLimit, [.. options.By.Select(Parse)])
        {
            Span = SpanOf(options),
            Until = options.Until ?? DateTimeOffset.MaxValue,
            Cost = options.Cost,
            CostFromRequest = options.CostFromRequest,
            CostFromResponse = options.CostFromResponse,
            TierBy = options.TierBy is { } tier ? Parse(tier) : null,
            Tiers = options.Tiers.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase),
            IsShadow = options.Shadow,
            WhenRedisIsDown = options.WhenRedisIsDown
                ?? (options.Algorithm == RateLimitAlgorithm.Total ? WhenRedisIsDown.Deny : WhenRedisIsDown.Allow),
            LeaseBatch = options.LeaseBatch,
            Counts = counts,
        };

    /// <summary>The limit of a request's tier.</summary>
    public long PermitsOf<TState>(Func<IdentityPart, TState, string?> read, TState state) =>
        TierBy is { } tier && read(tier, state) is { } value && Tiers.TryGetValue(value, out var permits) ? permits : PermitLimit;

    /// <summary>The window; of a bucket, what a full one takes to drain, which is the longest span there is where that is longer.</summary>
    public static TimeSpan SpanOf(RateLimitOptions options)
    {
        if (options.Algorithm != RateLimitAlgorithm.TokenBucket)
            return options.Window;
        var drain = options.ReplenishmentPeriod.TotalMilliseconds * options.PermitLimit / (options.TokensPerPeriod ?? options.PermitLimit);
        return drain < TimeSpan.MaxValue.TotalMilliseconds ? TimeSpan.FromMilliseconds(Math.Max(1, drain)) : TimeSpan.MaxValue;
    }

    private static IdentityPart Parse(string text) =>
        IdentityPart.TryParse(text, out var part) ? part : throw new ArgumentException($"'{text}' is no identity.", nameof(text));
}

/// <summary>A policy as requests use it.</summary>
/// <param name="HasOneIdentity">Whether all limits count the same clients: then each client's counters have a slot of their own in a cluster.</param>
internal sealed record RateLimitPolicy(string Name, IReadOnlyList<RateLimit> Limits, bool HasOneIdentity)
{
    public bool HasLegacyFields { get; init; }

    /// <summary>The only limit, where its permits are leased.</summary>
    public RateLimit? Leased { get; } = Limits is [{ LeaseBatch: > 0 } only] ? only : null;

    /// <summary>Whether permits are held while a request runs.</summary>
    public bool HoldsPermits { get; } = Limits.Any(limit => limit.Algorithm == RateLimitAlgorithm.Concurrency);

    /// <summary>What <c>RateLimit-Policy</c> says to clients without a tier.</summary>
    public string PolicyField { get; } = RateLimitFields.PolicyOf([.. Limits.Select(limit => new LimitState(limit, limit.PermitLimit, 0, default, default))]);

    public bool SettlesAfterwards { get; } = Limits.Any(limit => limit.CostFromResponse is not null);

    public bool HasDeny { get; } = Limits.Any(limit => limit is { WhenRedisIsDown: WhenRedisIsDown.Deny, IsShadow: false });

    public bool HasLocal { get; } = Limits.Any(limit => limit is { WhenRedisIsDown: WhenRedisIsDown.Local, IsShadow: false });

    /// <summary>What metrics tell of the policy.</summary>
    public StripedCounts Counts { get; init; } = RateLimitingMetrics.NewCounts();

    public static RateLimitPolicy Of(string name, RateLimitPolicyOptions options, RateLimitingMetrics metrics)
    {
        var limits = options.Limits.Select(limit => RateLimit.Of(limit, metrics.CountsOf(name, limit.Name))).ToArray();
        return new RateLimitPolicy(name, limits, limits.All(limit => limit.By.SequenceEqual(limits[0].By)))
        {
            HasLegacyFields = options.LegacyFields,
            Counts = metrics.CountsOf(name),
        };
    }
}
