using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Gateway.Tokens;

internal sealed class TokensMetrics
{
    private readonly ConcurrentDictionary<string, TokenCounts> _byScheme = new(StringComparer.OrdinalIgnoreCase);
    private readonly Counter<long> _introspections;
    private readonly Counter<long> _keyReads;

    public TokensMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GatewayMeter.Name);
        meter.CreateObservableCounter(
            "gateway.tokens.requests", () => _byScheme.Values.SelectMany(counts => counts.ReadRequests()), "{request}",
            "Requests of routes with a scheme, by scheme and outcome (accepted, missing, unavailable, revocation_unknown, or why it was refused).");
        meter.CreateObservableCounter(
            "gateway.tokens.lookups", () => _byScheme.Values.SelectMany(counts => counts.ReadLookups()), "{lookup}",
            "Where the result of a validation came from, by scheme and source (memory, redis, validation, introspection).");
        _introspections = meter.CreateCounter<long>(
            "gateway.tokens.introspections", "{call}", "Questions to providers about tokens, by scheme and outcome (succeeded, failed).");
        _keyReads = meter.CreateCounter<long>(
            "gateway.tokens.key_reads", "{read}", "Readings of issuers' keys, by source (a host, or a file's name) and outcome (succeeded, failed).");
    }

    /// <summary>The counts of a scheme; they outlive a reload.</summary>
    public TokenCounts Of(string scheme) => _byScheme.GetOrAdd(scheme, static name => new TokenCounts(name));

    public void Introspected(string scheme, bool succeeded) =>
        _introspections.Add(1, new("scheme", scheme), new("outcome", succeeded ? "succeeded" : "failed"));

    public void KeysRead(string source, bool succeeded) => _keyReads.Add(1, new("source", source), new("outcome", succeeded ? "succeeded" : "failed"));
}
