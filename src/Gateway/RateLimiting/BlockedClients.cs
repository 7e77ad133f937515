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
    private int _epoch;

    /// <summary>Another one each time all is forgotten: what was decided in an earlier one is not noted any more.</summary>
    public int Epoch => Volatile.Read(ref _epoch);

    /// <summary>The limits that are known to refuse a request still, all of them: the longest wait counts. Null: none is.</summary>
    public List<LimitState>? Find(LimitCharge[] charges)
    {
        List<LimitState>? found = null;
        foreach (ref readonly var charge in charges.AsSpan())
        {
            if (TryGet(charge, out var state))
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

        // By another configuration it may pass: a reload makes other limits, and what the old ones refused is forgotten so.
        if (blocked.State.Limit != charge.Limit)
            return false;
        if (charge.Cost < blocked.Cost || charge.Cost > charge.Permits || charge.Permits > blocked.State.Permits)
            return false;
        var reset = blocked.State.Reset - (blocked.State.Wait - left);
        state = blocked.State with { Permits = charge.Permits, Wait = WaitOf(charge, blocked, left, reset), Reset = reset };
        return true;
    }

    /// <summary>Notes a refusal. Of two, the one that lets less pass holds.</summary>
    /// <param name="epoch">The <see cref="Epoch"/> before Redis was asked.</param>
    public void Add(in LimitCharge charge, in LimitState state, int epoch)
    {
        // When a running request ends nobody knows, and what can never pass has no time.
        if (state.Limit.Algorithm == RateLimitAlgorithm.Concurrency || !state.IsPossible)
            return;
        if (_clients.TryGetValue(charge.Key, out var known) && known.State.Limit == charge.Limit && known.State.Permits >= charge.Permits
            && known.Cost <= charge.Cost && known.Until > time.GetTimestamp())
            return;
        if (_clients.Count >= MaxClients)
            _clients.Clear();
        var noted = new Blocked(time.GetTimestamp() + (long)(state.Wait.TotalSeconds * time.TimestampFrequency), charge.Cost, state);
        _clients[charge.Key] = noted;
        // A reset overtook the answer: the client may pass again. Looked at last, so that it cannot come between.
        if (epoch != Epoch)
            _clients.TryRemove(new(charge.Key, noted));
    }

    public void Clear()
    {
        Interlocked.Increment(ref _epoch);
        _clients.Clear();
    }

    // What takes more than what was refused, or of a lower tier, has to wait longer: never is a client told to come back
    // too early.
    private static TimeSpan WaitOf(in LimitCharge charge, in Blocked refused, TimeSpan left, TimeSpan reset) => charge.Limit.Algorithm switch
    {
        _ when charge.Cost == refused.Cost && charge.Permits == refused.State.Permits => left,
        RateLimitAlgorithm.TokenBucket => TimeSpan.FromSeconds(Math.Min(
            RateLimitingOptionsValidator.MaxDrain.TotalSeconds,
            ((reset.TotalSeconds * refused.State.Permits) + (charge.Limit.Span.TotalSeconds * (charge.Cost - charge.Permits))) / charge.Permits)),
        RateLimitAlgorithm.SlidingWindow => reset,
        _ => left,
    };

    private readonly record struct Blocked(long Until, long Cost, LimitState State);
}
