using System.Diagnostics.Metrics;

namespace Gateway.Tokens;

internal sealed class TokensMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _validations;
    private readonly Counter<long> _introspections;
    private readonly Counter<long> _keyReads;

    public TokensMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _requests = meter.CreateCounter<long>(
            "gateway.tokens.requests", "{request}",
            "Requests of routes with a scheme, by scheme and outcome (accepted, missing, unavailable, revocation_unknown, or why it was refused).");
        _validations = meter.CreateCounter<long>(
            "gateway.tokens.lookups", "{lookup}", "Where the result of a validation came from, by scheme and source (memory, redis, validation, introspection).");
        _introspections = meter.CreateCounter<long>(
            "gateway.tokens.introspections", "{call}", "Questions to providers about tokens, by scheme and outcome (succeeded, failed).");
        _keyReads = meter.CreateCounter<long>(
            "gateway.tokens.key_reads", "{read}", "Readings of issuers' keys, by source (a host, or a file's name) and outcome (succeeded, failed).");
    }

    public void Request(string scheme, string outcome) => _requests.Add(1, new("scheme", scheme), new("outcome", outcome));

    public void Lookup(string scheme, string source) => _validations.Add(1, new("scheme", scheme), new("source", source));

    public void Introspected(string scheme, bool succeeded) =>
        _introspections.Add(1, new("scheme", scheme), new("outcome", succeeded ? "succeeded" : "failed"));

    public void KeysRead(string source, bool succeeded) => _keyReads.Add(1, new("source", source), new("outcome", succeeded ? "succeeded" : "failed"));
}
