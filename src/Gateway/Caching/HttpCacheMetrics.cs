using System.Diagnostics.Metrics;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching;

internal sealed class HttpCacheMetrics
{
    // Counted here and read when somebody asks: a counter that is told of each hit would cost as much as the hit.
    private readonly StripedCounts _counts = new(2 * Enum.GetValues<CacheReason>().Length);

    public HttpCacheMetrics(IMeterFactory meters, MemoryStore memory)
    {
        var meter = meters.Create(GatewayMeter.Name);
        meter.CreateObservableCounter(
            "gateway.cache.requests", Read, "{request}", "Requests that the cache considered, by outcome (hit, forwarded) and reason.");
        meter.CreateObservableGauge("gateway.cache.memory.size", () => memory.Size, "By", "What stored responses take in this process.");
        meter.CreateObservableGauge("gateway.cache.memory.entries", () => memory.Count, "{entry}", "Entries stored in this process.");
    }

    public void Decided(in Reuse reuse) => _counts.Increment((2 * (int)reuse.Reason) + (reuse.IsAllowed ? 1 : 0));

    private IEnumerable<Measurement<long>> Read()
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts.Sum(i) is > 0 and var count)
                yield return new(count, new("outcome", i % 2 == 1 ? "hit" : "forwarded"), new("reason", CacheStatus.NameOf((CacheReason)(i / 2))));
        }
    }
}
