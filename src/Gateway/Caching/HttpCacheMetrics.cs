using System.Diagnostics.Metrics;
using Gateway.Caching.Fetch;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching;

internal sealed class HttpCacheMetrics
{
    // Counted here and read when somebody asks: a counter that is told of each hit would cost as much as the hit.
    private readonly StripedCounts _counts = new(2 * Enum.GetValues<CacheReason>().Length);

    public HttpCacheMetrics(IMeterFactory meters, MemoryStore memory, WaitingRequests waiting, RecordingBudget recordings)
    {
        var meter = meters.Create(GatewayMeter.Name);
        meter.CreateObservableCounter(
            "gateway.cache.requests", Read, "{request}", "Requests that the cache considered, by outcome (hit, forwarded) and reason.");
        meter.CreateObservableGauge("gateway.cache.memory.size", () => memory.Size, "By", "What stored responses take in this process.");
        meter.CreateObservableGauge("gateway.cache.memory.entries", () => memory.Count, "{entry}", "Targets stored in this process, each with its response or its variants.");
        meter.CreateObservableGauge("gateway.cache.waiting", () => waiting.Count, "{request}", "Requests that wait for a response that another request fetches.");
        meter.CreateObservableGauge("gateway.cache.recordings.size", () => recordings.Used, "By", "What responses take while they are recorded.");
    }

    /// <summary>Requests answered from the store since this process began, by reason; those with none are left out.</summary>
    public IReadOnlyDictionary<string, long> Hits => Count(isHit: true);

    /// <summary>Requests that the store did not answer since this process began, by reason; those with none are left out.</summary>
    public IReadOnlyDictionary<string, long> Forwarded => Count(isHit: false);

    public void Decided(in Reuse reuse) => _counts.Increment(IndexOf(reuse.Reason, reuse.IsAllowed));

    private static int IndexOf(CacheReason reason, bool isHit) => (2 * (int)reason) + (isHit ? 1 : 0);

    private IEnumerable<Measurement<long>> Read() =>
        Measure(Hits, "hit").Concat(Measure(Forwarded, "forwarded"));

    private static IEnumerable<Measurement<long>> Measure(IReadOnlyDictionary<string, long> counts, string outcome) =>
        counts.Select(count => new Measurement<long>(count.Value, new("outcome", outcome), new("reason", count.Key)));

    private SortedDictionary<string, long> Count(bool isHit)
    {
        var named = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var reason in Enum.GetValues<CacheReason>())
        {
            if (_counts.Sum(IndexOf(reason, isHit)) is > 0 and var count)
                named[CacheStatus.NameOf(reason)] = count;
        }

        return named;
    }
}
