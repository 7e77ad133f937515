using System.Collections.Concurrent;

namespace Gateway.RateLimiting;

/// <summary>
/// Clients over a limit, until what they asked for can pass: they are answered from memory, so that a flood costs Redis
/// nothing. At most 100,000; a client forgotten early is refused by Redis instead.
/// </summary>
internal sealed class BlockedClients(TimeProvider time)
{
    public const int MaxClients = 100_000;

    private readonly ConcurrentDictionary<string, Blocked> _clients = new(StringComparer.Ordinal);

    /// <summary>Whether a charge is known to be refused still: it takes as much as one that was, or more, of no higher limit.</summary>
    public bool TryGet(in LimitCharge charge, out LimitState state)
    {
        state = default;
        if (_clients.IsEmpty || !_clients.TryGetValue(charge.Key, out var blocked))
            return false;
        var left = time.GetElapsedTime(time.GetTimestamp(), blocked.Until);
        if (left <= TimeSpan.Zero)
        {
            _clients.TryRemove(new(charge.Key, blocked));
            return false;
        }

        if (charge.Cost < blocked.Cost || charge.Permits > blocked.State.Permits)
            return false;
        state = blocked.State with { Wait = left, Reset = blocked.State.Reset - (blocked.State.Wait - left) };
        return true;
    }

    /// <summary>Notes a refusal. Of two, the one that lets less pass holds.</summary>
    public void Add(in LimitCharge charge, in LimitState state)
    {
        // When a running request ends nobody knows, and what can never pass has no time.
        if (state.Limit.Algorithm == RateLimitAlgorithm.Concurrency || !state.IsPossible)
            return;
        if (_clients.TryGetValue(charge.Key, out var known) && known.Cost <= charge.Cost && known.Until > time.GetTimestamp())
            return;
        if (_clients.Count >= MaxClients)
            _clients.Clear();
        _clients[charge.Key] = new Blocked(time.GetTimestamp() + (long)(state.Wait.TotalSeconds * time.TimestampFrequency), charge.Cost, state);
    }

    public void Clear() => _clients.Clear();

    private readonly record struct Blocked(long Until, long Cost, LimitState State);
}
