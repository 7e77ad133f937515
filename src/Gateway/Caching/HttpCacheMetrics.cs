using System.Diagnostics.Metrics;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching;

internal sealed class HttpCacheMetrics
{
    private readonly Counter<long> _requests;

    public HttpCacheMetrics(IMeterFactory meters, MemoryStore memory)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _requests = meter.CreateCounter<long>(
            "gateway.cache.requests", "{request}", "Requests that the cache considered, by outcome (hit, forwarded) and reason.");
        meter.CreateObservableGauge("gateway.cache.memory.size", () => memory.Size, "By", "What stored responses take in this process.");
        meter.CreateObservableGauge("gateway.cache.memory.entries", () => memory.Count, "{entry}", "Entries stored in this process.");
    }

    public void Decided(in Reuse reuse)
    {
        if (_requests.Enabled)
            _requests.Add(1, new("outcome", reuse.IsAllowed ? "hit" : "forwarded"), new("reason", CacheStatus.NameOf(reuse.Reason)));
    }
}
