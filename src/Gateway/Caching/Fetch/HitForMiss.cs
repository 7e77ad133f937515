using System.Collections.Concurrent;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Keys whose last response could not be shared: requests for them do not wait for each other. Forgotten after ten
/// seconds, or when a response can be stored again; at most 10,000 keys.
/// </summary>
internal sealed class HitForMiss(TimeProvider time)
{
    public const int MaxKeys = 10_000;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, long> _until = new(StringComparer.Ordinal);

    public bool Contains(string key)
    {
        if (_until.IsEmpty || !_until.TryGetValue(key, out var until))
            return false;
        if (time.GetTimestamp() < until)
            return true;
        _until.TryRemove(new KeyValuePair<string, long>(key, until));
        return false;
    }

    public void Add(string key)
    {
        var now = time.GetTimestamp();
        if (_until.Count >= MaxKeys)
            MakeRoom(now);
        _until[key] = now + (long)(Lifetime.TotalSeconds * time.TimestampFrequency);
    }

    public void Remove(string key)
    {
        if (!_until.IsEmpty)
            _until.TryRemove(key, out _);
    }

    // A key forgotten early costs one wait. Where none has run out, all go: that is rarer than a scan on every call.
    private void MakeRoom(long now)
    {
        foreach (var entry in _until)
        {
            if (entry.Value <= now)
                _until.TryRemove(entry);
        }

        if (_until.Count >= MaxKeys)
            _until.Clear();
    }
}
