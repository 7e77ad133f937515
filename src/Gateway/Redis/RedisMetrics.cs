using System.Diagnostics.Metrics;

namespace Gateway.Redis;

internal sealed class RedisMetrics
{
    private readonly Counter<long> _unanswered;

    public RedisMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _unanswered = meter.CreateCounter<long>(
            "gateway.redis.unanswered_calls", "{call}", "Calls that Redis did not answer, by connection and reason (unavailable, refused, skipped).");
    }

    public void Failed(string connection, string reason) =>
        _unanswered.Add(1, new("connection", connection), new("reason", reason));

    public void Skipped(string connection) => Failed(connection, "skipped");
}
