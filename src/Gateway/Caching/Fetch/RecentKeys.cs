using System.Collections.Concurrent;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Keys of which something was lately learned that spares others an attempt: that the response cannot be shared, or
/// that a refresh failed. Forgotten after ten seconds, or when it is learned otherwise; at most 10,000 keys.
/// </summary>
internal sealed class RecentKeys(TimeProvider time)
{
    public const int MaxKeys = 10_000;

    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, long> _until = new(StringComparer.Ordinal);

    public int Count => _until.Count;

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
