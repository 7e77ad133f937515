using System.Diagnostics.Metrics;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching;

internal sealed class HttpCacheMetrics
{
    private static readonly int Reasons = Enum.GetValues<CacheReason>().Length;

    private readonly long[] _hits = new long[Reasons];
    private readonly long[] _forwarded = new long[Reasons];
    private readonly Counter<long> _requests;

    public HttpCacheMetrics(IMeterFactory meters, MemoryStore memory)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _requests = meter.CreateCounter<long>(
            "gateway.cache.requests", "{request}", "Requests that the cache considered, by outcome (hit, forwarded) and reason.");
        meter.CreateObservableGauge("gateway.cache.memory.size", () => memory.Size, "By", "What stored responses take in this process.");
        meter.CreateObservableGauge("gateway.cache.memory.entries", () => memory.Count, "{entry}", "Entries stored in this process.");
    }

    /// <summary>Requests answered from the store since this process began, by reason; those with none are left out.</summary>
    public IReadOnlyDictionary<string, long> Hits => Count(_hits);

    /// <summary>Requests that the store did not answer since this process began, by reason; those with none are left out.</summary>
    public IReadOnlyDictionary<string, long> Forwarded => Count(_forwarded);

    public void Decided(in Reuse reuse)
    {
        Interlocked.Increment(ref (reuse.IsAllowed ? _hits : _forwarded)[(int)reuse.Reason]);
        if (_requests.Enabled)
            _requests.Add(1, new("outcome", reuse.IsAllowed ? "hit" : "forwarded"), new("reason", CacheStatus.NameOf(reuse.Reason)));
    }

    private static SortedDictionary<string, long> Count(long[] counts)
    {
        var named = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (var i = 0; i < counts.Length; i++)
        {
            if (Volatile.Read(ref counts[i]) is > 0 and var count)
                named[CacheStatus.NameOf((CacheReason)i)] = count;
        }

        return named;
    }
}
