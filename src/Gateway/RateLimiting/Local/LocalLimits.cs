using System.Collections.Concurrent;
using System.Threading.RateLimiting;

namespace Gateway.RateLimiting.Local;

/// <summary>
/// Limits that this node counts by itself while Redis is away: its share of each, by the framework's own limiters. An
/// approximation: counts begin at zero, and a sliding window is counted as a fixed one. At most 10,000 clients are told
/// apart, the rest count together until others are idle.
/// </summary>
internal sealed class LocalLimits(NodeShare share, TimeProvider time)
{
    public const int MaxClients = 10_000;

    // To look at all of them for each new client would cost more than the counting.
    private static readonly TimeSpan DropInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, RateLimiter> _limiters = new(StringComparer.Ordinal);
    private readonly Lock _making = new();
    private long? _dropped;

    /// <summary>Counts a request in all limits that are counted locally, or in none where one of them is used up.</summary>
    /// <param name="held">What to dispose when the request ends; empty where a limit is used up.</param>
    /// <returns>The limit that was met; null: the request passes.</returns>
    public LimitState? Take(LimitCharge[] charges, out List<RateLimitLease> held)
    {
        held = [];
        var shares = charges.Where(charge => charge.Limit is { WhenRedisIsDown: WhenRedisIsDown.Local, IsShadow: false }).Select(Find).ToList();
        foreach (var one in shares)
        {
            if (one.Charge.Cost > one.Charge.Permits || one.Available < one.Cost)
                return Met(one);
        }

        foreach (var one in shares)
        {
            var lease = one.Limiter.AttemptAcquire(one.Cost);
            held.Add(lease);
            if (lease.IsAcquired)
                continue;
            held.ForEach(taken => taken.Dispose());
            held.Clear();
            return Met(one);
        }

        return null;
    }

    private static LimitState Met(in LocalShare share)
    {
        var (charge, span) = (share.Charge, share.Charge.Limit.Span);
        var wait = charge.Limit.Algorithm switch
        {
            // When a running request ends nobody knows.
            RateLimitAlgorithm.Concurrency => TimeSpan.FromSeconds(1),
            RateLimitAlgorithm.TokenBucket => span * (Math.Max(1, share.Cost - share.Available) / (double)share.Permits),
            // When the window began here the framework does not tell.
            _ => span,
        };
        return new LimitState(charge.Limit, charge.Permits, charge.Permits, span, wait, IsPossible: charge.Cost <= charge.Permits);
    }

    private LocalShare Find(LimitCharge charge)
    {
        // The share is part of the name: with another one counting begins anew.
        var permits = share.Of(charge.Permits);
        var name = $"{charge.Key} {permits}";
        if (!_limiters.TryGetValue(name, out var limiter))
            limiter = Make(name, charge.Limit, permits);
        if (limiter is ReplenishingRateLimiter replenishing)
            replenishing.TryReplenish();
        // What costs more than the share would never pass: it takes the whole share.
        return new LocalShare(charge, limiter, permits, (int)Math.Min(charge.Cost, permits));
    }

    private RateLimiter Make(string name, RateLimit limit, int permits)
    {
        lock (_making)
        {
            if (_limiters.Count >= MaxClients && (_dropped is not { } last || time.GetElapsedTime(last) >= DropInterval))
                DropIdle();
            if (_limiters.Count >= MaxClients)
                name = $"{limit.Name} {limit.Algorithm} {limit.Span} {permits}";
            return _limiters.GetOrAdd(name, _ => Create(limit, permits));
        }
    }

    // Idle means full: a new one would be the same. None is disposed, since a request may hold it, and none has a timer.
    private void DropIdle()
    {
        _dropped = time.GetTimestamp();
        foreach (var limiter in _limiters)
        {
            if (limiter.Value is ReplenishingRateLimiter replenishing)
                replenishing.TryReplenish();
            if (limiter.Value.IdleDuration is not null)
                _limiters.TryRemove(limiter);
        }
    }

    // Replenished when asked: a timer for each client would cost more than the counting.
    private static RateLimiter Create(RateLimit limit, int permits) => limit.Algorithm switch
    {
        RateLimitAlgorithm.Concurrency => new ConcurrencyLimiter(new() { PermitLimit = permits, QueueLimit = 0 }),
        RateLimitAlgorithm.TokenBucket => new TokenBucketRateLimiter(new()
        {
            TokenLimit = permits,
            TokensPerPeriod = permits,
            ReplenishmentPeriod = limit.Span,
            QueueLimit = 0,
            AutoReplenishment = false,
        }),
        _ => new FixedWindowRateLimiter(new() { PermitLimit = permits, Window = limit.Span, QueueLimit = 0, AutoReplenishment = false }),
    };

    private readonly record struct LocalShare(LimitCharge Charge, RateLimiter Limiter, int Permits, int Cost)
    {
        public long Available => Limiter.GetStatistics()?.CurrentAvailablePermits ?? 0;
    }
}
