using System.Diagnostics.Metrics;

namespace Gateway.RateLimiting;

internal sealed class RateLimitingMetrics
{
    private readonly Counter<long> _requests;

    public RateLimitingMetrics(IMeterFactory meters) => _requests = meters.Create(GatewayMeter.Name).CreateCounter<long>(
        "gateway.rate_limits.requests", "{request}",
        "Requests of routes with limits, by policy, outcome (admitted, rejected, uncounted, refused) and the limit that rejected.");

    public void Admitted(string policy) => Add(policy, "admitted", "");

    public void Rejected(string policy, string limit) => Add(policy, "rejected", limit);

    public void Uncounted(string policy) => Add(policy, "uncounted", "");

    public void Refused(string policy) => Add(policy, "refused", "");

    private void Add(string policy, string outcome, string limit) =>
        _requests.Add(1, new("policy", policy), new("outcome", outcome), new("limit", limit));
}
