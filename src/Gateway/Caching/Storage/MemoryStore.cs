using System.Collections.Concurrent;

namespace Gateway.Caching.Storage;

/// <summary>
/// Entries in this process, bounded in bytes. Eviction is SIEVE: entries keep the order they came in, a hit only sets
/// a mark, and a hand that moves from the oldest to the newest evicts the first entry without one. Hits take no lock,
/// and a scan of entries used once pushes out no entry that is used again.
/// </summary>
internal sealed class MemoryStore
{
    private readonly ConcurrentDictionary<string, Node> _nodes;
    private readonly ConcurrentDictionary<string, Node>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly long _limit;
    private readonly Lock _gate = new();
    private Node? _newest;
    private Node? _oldest;
    private Node? _hand;
    private long _size;
    private long _lastNumber;

    /// <param name="limit">What all entries may cost, in bytes.</param>
    public MemoryStore(long limit)
    {
        _limit = limit;
        _nodes = new(StringComparer.Ordinal);
        _bySpan = _nodes.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>What all entries cost, in bytes.</summary>
    public long Size => Volatile.Read(ref _size);

    public int Count => _nodes.Count;

    /// <summary>What all entries may cost, in bytes.</summary>
    public long Limit => _limit;

    public StoredEntry? Get(ReadOnlySpan<char> key)
    {
        if (!_bySpan.TryGetValue(key, out var node))
            return null;
        // Written only when it changes: hits on one entry from many cores must not fight over its cache line.
        if (!node.IsVisited)
            node.IsVisited = true;
        return node.Entry;
    }

    /// <summary>What an entry under a key may cost, in bytes: with the key no more than a tenth of the limit.</summary>
    public long RoomFor(string key) => (_limit / 10) - Node.SizeOf(key);

    /// <summary>Stores an entry in place of what the key held. One that has no room is not kept.</summary>
    public void Set(string key, StoredEntry entry)
    {
        lock (_gate)
            Put(key, entry, _nodes.GetValueOrDefault(key), isVisited: false);
    }

    /// <summary>Puts what <paramref name="change"/> makes of the key's entry in its place; null: nothing. Its mark stays.</summary>
    public void Update(string key, Func<StoredEntry?, StoredEntry?> change)
    {
        lock (_gate)
        {
            var old = _nodes.GetValueOrDefault(key);
            var entry = change(old?.Entry);
            if (ReferenceEquals(entry, old?.Entry))
                return;
            if (old is not null && entry?.Size == old.Entry.Size)
                old.Entry = entry;
            else
                Put(key, entry, old, old?.IsVisited ?? false);
        }
    }

    /// <summary>
    /// All entries, each with a number that rises in the order they were stored; those stored or evicted meanwhile may be
    /// missing. Marks none as used.
    /// </summary>
    public IEnumerable<(long Number, string Key, StoredEntry Entry)> Enumerate()
    {
        foreach (var (key, node) in _nodes)
            yield return (node.Number, key, node.Entry);
    }

    public void Clear()
    {
        lock (_gate)
        {
            _nodes.Clear();
            _newest = _oldest = _hand = null;
            Volatile.Write(ref _size, 0);
        }
    }

    private void Put(string key, StoredEntry? entry, Node? old, bool isVisited)
    {
        if (old is not null)
            Unlink(old);
        if (entry is null)
            return;
        var node = new Node(key, entry) { IsVisited = isVisited };
        if (node.Size > _limit / 10)
            return;
        while (_size + node.Size > _limit && _oldest is not null)
            EvictOne();
        Link(node);
    }

    private void Link(Node node)
    {
        node.Number = ++_lastNumber;
        node.Older = _newest;
        if (_newest is not null)
            _newest.Newer = node;
        _newest = node;
        _oldest ??= node;
        _nodes[node.Key] = node;
        Volatile.Write(ref _size, _size + node.Size);
    }

    private void Unlink(Node node)
    {
        if (ReferenceEquals(_hand, node))
            _hand = node.Newer;
        if (node.Newer is null)
            _newest = node.Older;
        else
            node.Newer.Older = node.Older;
        if (node.Older is null)
            _oldest = node.Newer;
        else
            node.Older.Newer = node.Newer;
        _nodes.TryRemove(node.Key, out _);
        Volatile.Write(ref _size, _size - node.Size);
    }

    private void EvictOne()
    {
        var node = _hand ?? _oldest!;
        while (node.IsVisited)
        {
            node.IsVisited = false;
            node = node.Newer ?? _oldest!;
        }

        _hand = node.Newer;
        Unlink(node);
    }

    private sealed class Node(string key, StoredEntry entry)
    {
        // The node itself, its place in the dictionary, and the key's text.
        private const int Overhead = 160;

        public string Key { get; } = key;

        public StoredEntry Entry { get; set; } = entry;

        public long Number { get; set; }

        public long Size { get; } = SizeOf(key) + entry.Size;

        public Node? Newer { get; set; }

        public Node? Older { get; set; }

        public bool IsVisited { get; set; }

        public static long SizeOf(string key) => Overhead + (2L * key.Length);
    }
}
