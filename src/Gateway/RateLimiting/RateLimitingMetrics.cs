using System.Diagnostics.Metrics;

namespace Gateway.RateLimiting;

/// <summary>Labels are names of the configuration, never of clients.</summary>
internal sealed class RateLimitingMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _permits;
    private readonly Counter<long> _shadowed;

    public RateLimitingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _requests = meter.CreateCounter<long>(
            "gateway.rate_limits.requests", "{request}",
            "Requests of routes with limits, by policy, outcome (admitted, leased, rejected, rejected-from-memory, allowed, denied, "
            + "local, rejected-locally, uncounted, refused, invalid) and the limit that rejected.");
        _permits = meter.CreateCounter<long>(
            "gateway.rate_limits.permits", "{permit}", "Permits taken, by policy and limit.");
        _shadowed = meter.CreateCounter<long>(
            "gateway.rate_limits.shadow_rejections", "{request}", "Requests that a shadow limit would have rejected, by policy and limit.");
    }

    public void Request(string policy, string outcome, string limit = "") =>
        _requests.Add(1, new("policy", policy), new("outcome", outcome), new("limit", limit));

    /// <summary>What an admitted request took, and what shadows say of it.</summary>
    public void Admitted(string policy, LimitCharge[] charges, LimitState[] states)
    {
        if (!_permits.Enabled && !_shadowed.Enabled)
            return;
        for (var i = 0; i < states.Length; i++)
        {
            var counter = states[i].IsOver ? _shadowed : _permits;
            counter.Add(states[i].IsOver ? 1 : charges[i].Cost, new("policy", policy), new("limit", charges[i].Limit.Name));
        }
    }

    public void Settled(string policy, in LimitCharge charge) =>
        _permits.Add(charge.Cost, new("policy", policy), new("limit", charge.Limit.Name));
}
