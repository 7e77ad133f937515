using System.Collections.Concurrent;

namespace Gateway.RateLimiting;

/// <summary>
/// Clients over a limit, until its window ends: they are answered from memory, so that a flood costs Redis nothing.
/// At most 100,000; a client forgotten early is refused by Redis instead.
/// </summary>
internal sealed class BlockedClients(TimeProvider time)
{
    public const int MaxClients = 100_000;

    private readonly ConcurrentDictionary<string, (long Until, LimitState State)> _clients = new(StringComparer.Ordinal);

    /// <param name="counter">The key of the counter that is full.</param>
    public bool TryGet(string counter, out LimitState state)
    {
        state = default;
        if (_clients.IsEmpty || !_clients.TryGetValue(counter, out var blocked))
            return false;
        var left = time.GetElapsedTime(time.GetTimestamp(), blocked.Until);
        if (left <= TimeSpan.Zero)
        {
            _clients.TryRemove(new(counter, blocked));
            return false;
        }

        state = blocked.State with { Reset = left };
        return true;
    }

    public void Add(string counter, LimitState state)
    {
        if (_clients.Count >= MaxClients)
            _clients.Clear();
        _clients[counter] = (time.GetTimestamp() + (long)(state.Reset.TotalSeconds * time.TimestampFrequency), state);
    }

    public void Clear() => _clients.Clear();
}
