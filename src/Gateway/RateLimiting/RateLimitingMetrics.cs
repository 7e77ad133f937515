using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Gateway.RateLimiting;

/// <summary>What became of a request.</summary>
internal enum RateLimitOutcome
{
    Admitted,
    Leased,
    Rejected,
    RejectedFromMemory,
    Allowed,
    Denied,
    Local,
    RejectedLocally,
    Uncounted,
    Refused,
    Invalid,
}

/// <summary>Labels are names of the configuration, never of clients.</summary>
internal sealed class RateLimitingMetrics
{
    // Counts of a limit: one for each outcome, and these.
    private const int PermitsIndex = (int)RateLimitOutcome.Invalid + 1;
    private const int ShadowedIndex = PermitsIndex + 1;

    // By outcome.
    private static readonly string[] Outcomes =
    [
        "admitted", "leased", "rejected", "rejected-from-memory", "allowed", "denied", "local", "rejected-locally", "uncounted", "refused", "invalid",
    ];

    // Counted here and read when somebody asks: a counter that is told of each request would cost as much as a decision
    // from leased permits. What belongs to no limit is under the limit "".
    private readonly ConcurrentDictionary<(string Policy, string Limit), StripedCounts> _counts = new();

    public RateLimitingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GatewayMeter.Name);
        meter.CreateObservableCounter(
            "gateway.rate_limits.requests", ReadRequests, "{request}",
            "Requests of routes with limits, by policy, outcome (admitted, leased, rejected, rejected-from-memory, allowed, denied, "
            + "local, rejected-locally, uncounted, refused, invalid) and the limit that rejected.");
        meter.CreateObservableCounter(
            "gateway.rate_limits.permits", () => Read(PermitsIndex), "{permit}", "Permits taken, by policy and limit.");
        meter.CreateObservableCounter(
            "gateway.rate_limits.shadow_rejections", () => Read(ShadowedIndex), "{request}",
            "Requests that a shadow limit would have rejected, by policy and limit.");
    }

    /// <summary>Counts that nobody reads.</summary>
    public static StripedCounts NewCounts() => new(ShadowedIndex + 1);

    /// <summary>The counts of a policy, or of one of its limits: the same ones after a reload.</summary>
    public StripedCounts CountsOf(string policy, string limit = "") => _counts.GetOrAdd((policy, limit), static _ => NewCounts());

    public static void Request(RateLimitPolicy policy, RateLimitOutcome outcome) => policy.Counts.Increment((int)outcome);

    public static void Rejected(RateLimit limit, RateLimitOutcome outcome) => limit.Counts.Increment((int)outcome);

    /// <summary>What an admitted request took from a limit, or what a shadow says of it.</summary>
    public static void Admitted(in LimitCharge charge, in LimitState state)
    {
        if (state.IsOver)
            charge.Limit.Counts.Increment(ShadowedIndex);
        else
            charge.Limit.Counts.Add(PermitsIndex, charge.Cost);
    }

    public static void Settled(in LimitCharge charge) => charge.Limit.Counts.Add(PermitsIndex, charge.Cost);

    private IEnumerable<Measurement<long>> ReadRequests()
    {
        foreach (var ((policy, limit), counts) in _counts)
        {
            for (var outcome = 0; outcome < Outcomes.Length; outcome++)
            {
                if (counts.Sum(outcome) is > 0 and var count)
                    yield return new(count, new("policy", policy), new("outcome", Outcomes[outcome]), new("limit", limit));
            }
        }
    }

    private IEnumerable<Measurement<long>> Read(int index)
    {
        foreach (var ((policy, limit), counts) in _counts)
        {
            if (counts.Sum(index) is > 0 and var count)
                yield return new(count, new("policy", policy), new("limit", limit));
        }
    }
}
