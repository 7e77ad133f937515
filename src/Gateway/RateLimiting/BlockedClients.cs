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

    /// <summary>The limits that are known to refuse a request still, all of them: the longest wait counts. Null: none is.</summary>
    public List<LimitState>? Find(LimitCharge[] charges)
    {
        if (_clients.IsEmpty)
            return null;
        List<LimitState>? found = null;
        foreach (ref readonly var charge in charges.AsSpan())
        {
            if (!charge.Limit.IsShadow && TryGet(charge, out var state))
                (found ??= []).Add(state);
        }

        return found;
    }

    /// <summary>Whether a charge is known to be refused still: it takes as much as one that was, or more, of no higher limit.</summary>
    public bool TryGet(in LimitCharge charge, out LimitState state)
    {
        state = default;
        if (!_clients.TryGetValue(charge.Key, out var blocked))
            return false;
        var left = time.GetElapsedTime(time.GetTimestamp(), blocked.Until);
        if (left <= TimeSpan.Zero)
        {
            _clients.TryRemove(new(charge.Key, blocked));
            return false;
        }

        if (charge.Cost < blocked.Cost || charge.Cost > charge.Permits || charge.Permits > blocked.State.Permits)
            return false;
        var reset = blocked.State.Reset - (blocked.State.Wait - left);
        state = blocked.State with { Wait = WaitOf(charge, blocked.Cost, left, reset), Reset = reset };
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

    // What takes more than what was refused has to wait longer: never is a client told to come back too early.
    private static TimeSpan WaitOf(in LimitCharge charge, long refusedCost, TimeSpan left, TimeSpan reset) => charge.Limit.Algorithm switch
    {
        _ when charge.Cost == refusedCost => left,
        RateLimitAlgorithm.TokenBucket => left + (charge.Limit.Span * ((charge.Cost - refusedCost) / (double)charge.Permits)),
        RateLimitAlgorithm.SlidingWindow => reset,
        _ => left,
    };

    private readonly record struct Blocked(long Until, long Cost, LimitState State);
}
