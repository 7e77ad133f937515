using System.Collections.Concurrent;

namespace Gateway.ShortLinks;

/// <summary>
/// Values in this process, bounded in total size: two generations of half the limit each. What is used moves to the
/// young one; when that is full it becomes the old one, and what nobody used since then is gone.
/// </summary>
internal sealed class BoundedMemory<TKey, TValue>(long limit)
    where TKey : notnull
    where TValue : class
{
    private readonly Lock _gate = new();
    private volatile Generation _young = new();
    private volatile Generation _old = new();

    public int Count => _young.Values.Count + _old.Values.Count;

    /// <summary>All there is; some may come twice. To list it is no use: it moves nothing, so that the list is whole.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> Entries =>
        _young.Values.Concat(_old.Values).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Value));

    public TValue? Get(TKey key)
    {
        if (_young.Values.TryGetValue(key, out var entry))
            return entry.Value;
        if (!_old.Values.TryGetValue(key, out entry))
            return null;
        // Added, not set: a newer value may have come meanwhile.
        var young = MakeRoom(entry.Size);
        young.Values.TryAdd(key, entry);
        return entry.Value;
    }

    /// <summary>The value of a key; <paramref name="value"/> becomes it where there is none. All callers get the same one.</summary>
    public TValue GetOrAdd(TKey key, TValue value, long size)
    {
        if (Get(key) is { } found)
            return found;
        // Within the gate no generation ends: else two callers could add to different ones.
        lock (_gate)
        {
            if (Get(key) is { } added)
                return added;
            Set(key, value, size);
            return value;
        }
    }

    public void Set(TKey key, TValue value, long size) => MakeRoom(size).Values[key] = (value, size);

    // Sizes of replaced values stay counted until the generation ends: it may end early, never late.
    private Generation MakeRoom(long size)
    {
        var young = _young;
        if (Interlocked.Add(ref young.Size, size) <= limit / 2)
            return young;
        lock (_gate)
        {
            if (ReferenceEquals(_young, young))
            {
                _old = young;
                _young = new Generation();
            }

            young = _young;
        }

        Interlocked.Add(ref young.Size, size);
        return young;
    }

    private sealed class Generation
    {
        public long Size;

        public ConcurrentDictionary<TKey, (TValue Value, long Size)> Values { get; } = new();
    }
}
