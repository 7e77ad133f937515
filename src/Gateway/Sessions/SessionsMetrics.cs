using System.Diagnostics.Metrics;

namespace Gateway.Sessions;

internal sealed class SessionsMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _lookups;
    private readonly Counter<long> _stored;

    public SessionsMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _requests = meter.CreateCounter<long>(
            "gateway.sessions.requests", "{request}",
            "Requests of clusters with the affinity policy Redis, by cluster and outcome (new, refused-key, kept, lost; and beside one of these, where a session was given a destination, moved or moved-elsewhere).");
        _lookups = meter.CreateCounter<long>(
            "gateway.sessions.lookups", "{lookup}", "Where a session's destination was found (memory, redis, remembered: Redis did not answer).");
        _stored = meter.CreateCounter<long>(
            "gateway.sessions.stored", "{call}", "What the session store was asked for, by outcome (created, read, unknown, changed, ended, over_limit, unavailable).");
    }

    /// <summary>A request without a session.</summary>
    public void New(string cluster) => Request(cluster, "new");

    /// <summary>A request whose cookie is forged, of another cluster or protected by an unknown key: treated as new.</summary>
    public void RefusedKey(string cluster) => Request(cluster, "refused-key");

    /// <summary>A request that went to its session's destination.</summary>
    public void Kept(string cluster) => Request(cluster, "kept");

    /// <summary>A request whose session's destination is not there: YARP's failure policy decides.</summary>
    public void Lost(string cluster) => Request(cluster, "lost");

    /// <summary>A session that was given a destination, its first or another; counted beside <see cref="New"/> or <see cref="Lost"/>.</summary>
    public void Moved(string cluster) => Request(cluster, "moved");

    /// <summary>A session that another request had already moved: that one's choice holds. Counted like <see cref="Moved"/>.</summary>
    public void MovedElsewhere(string cluster) => Request(cluster, "moved-elsewhere");

    public void FoundInMemory() => _lookups.Add(1, new KeyValuePair<string, object?>("found", "memory"));

    public void FoundInRedis() => _lookups.Add(1, new KeyValuePair<string, object?>("found", "redis"));

    public void Remembered() => _lookups.Add(1, new KeyValuePair<string, object?>("found", "remembered"));

    /// <summary>A call of the session store; <paramref name="count"/> sessions were concerned.</summary>
    public void Stored(string outcome, int count = 1) => _stored.Add(count, new KeyValuePair<string, object?>("outcome", outcome));

    private void Request(string cluster, string outcome) => _requests.Add(1, new("cluster", cluster), new("outcome", outcome));
}
