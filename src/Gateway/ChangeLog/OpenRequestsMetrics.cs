using System.Diagnostics.Metrics;

namespace Gateway.ChangeLog;

internal sealed class OpenRequestsMetrics
{
    private readonly UpDownCounter<long> _open;
    private readonly Counter<long> _closed;

    public OpenRequestsMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _open = meter.CreateUpDownCounter<long>(
            "gateway.open_requests", "{request}", "Identified requests whose responses go on, such as WebSockets and event streams.");
        _closed = meter.CreateCounter<long>(
            "gateway.open_requests.closed", "{request}", "Requests that were ended in mid-response, by reason (withdrawn, too_many).");
    }

    public void Opened() => _open.Add(1);

    public void Ended() => _open.Add(-1);

    public void Withdrawn(int count) => _closed.Add(count, new KeyValuePair<string, object?>("reason", "withdrawn"));

    public void TooMany() => _closed.Add(1, new KeyValuePair<string, object?>("reason", "too_many"));
}
