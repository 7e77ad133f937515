namespace SampleBackend.Hosting;

/// <summary>A map that holds at most <paramref name="capacity"/> entries: over it, the oldest is forgotten. Safe for concurrent use.</summary>
internal sealed class BoundedMap<TValue>(int capacity)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LinkedListNode<KeyValuePair<string, TValue>>> _entries = new(StringComparer.Ordinal);
    private readonly LinkedList<KeyValuePair<string, TValue>> _byAge = new();

    public TValue GetOrAdd(string key, Func<TValue> create)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(key, out var found)) return found.Value.Value;
            if (_entries.Count == capacity) ForgetOldest();
            var value = create();
            _entries[key] = _byAge.AddLast(new KeyValuePair<string, TValue>(key, value));
            return value;
        }
    }

    public TValue? Find(string key)
    {
        lock (_gate) return _entries.TryGetValue(key, out var found) ? found.Value.Value : default;
    }

    public TValue? Remove(string key)
    {
        lock (_gate)
        {
            if (!_entries.Remove(key, out var found)) return default;
            _byAge.Remove(found);
            return found.Value.Value;
        }
    }

    private void ForgetOldest()
    {
        _entries.Remove(_byAge.First!.Value.Key);
        _byAge.RemoveFirst();
    }
}
