using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>The counters of all nodes, in Redis.</summary>
internal sealed class RateLimitCounters(RedisConnection redis)
{
    /// <summary>How long a concurrency permit is held unless its node renews it: so long a dead node's permits stay taken.</summary>
    public static readonly TimeSpan PermitHold = TimeSpan.FromSeconds(6);

    private static readonly RedisScript ChargeScript = RedisScript.Load("RateLimiting/charge.lua");

    /// <summary>Counts a request where all limits admit it. Never tried again: a call without an answer may have counted. Nor given up, since what was sent counts.</summary>
    /// <param name="permit">What the request is called among those that run at the same time.</param>
    /// <returns>Null when Redis did not answer.</returns>
    public ValueTask<Charge?> TryChargeAsync(LimitCharge[] charges, string permit) => TryRunAsync("charge", charges, permit, CancellationToken.None);

    /// <summary>Reads counters without counting.</summary>
    /// <returns>Null when Redis did not answer.</returns>
    public ValueTask<Charge?> TryReadAsync(LimitCharge[] charges, CancellationToken cancellationToken) =>
        TryRunAsync("look", charges, "", cancellationToken);

    /// <summary>Counts what is known afterwards, whatever the limits say. Never tried again.</summary>
    public async ValueTask SettleAsync(LimitCharge[] charges) => await TryRunAsync("settle", charges, "", CancellationToken.None);

    /// <summary>Forgets counters, but for those of running requests, which run on.</summary>
    /// <returns>Whether Redis answered.</returns>
    public async ValueTask<bool> TryResetAsync(LimitCharge[] charges, CancellationToken cancellationToken)
    {
        var counters = KeysOf(Array.FindAll(charges, charge => charge.Limit.Algorithm != RateLimitAlgorithm.Concurrency));
        // What nodes have leased of them is void then.
        RedisKey[] keys = [.. counters, .. counters.Select(counter => RedisKeys.LeaseOf(counter!))];
        var reply = await redis.TryAsync(static (database, keys) => database.KeyDeleteAsync(keys), keys, cancellationToken);
        return reply.IsAnswered;
    }

    private async ValueTask<Charge?> TryRunAsync(string mode, LimitCharge[] charges, string permit, CancellationToken cancellationToken)
    {
        var arguments = new RedisValue[3 + (5 * charges.Length)];
        arguments[0] = mode;
        arguments[1] = permit;
        arguments[2] = (long)PermitHold.TotalMilliseconds;
        for (var i = 0; i < charges.Length; i++)
            Write(charges[i], arguments.AsSpan(3 + (5 * i), 5));

        var reply = await redis.TryAsync(
            static (database, call) => ChargeScript.EvaluateAsync(database, call.Keys, call.Arguments), (Keys: KeysOf(charges), Arguments: arguments), cancellationToken);
        return reply.TryGet(out var result) ? Parse((RedisResult[])result!, charges) : null;
    }

    private static RedisKey[] KeysOf(LimitCharge[] charges) => Array.ConvertAll(charges, charge => (RedisKey)charge.Key);

    private static void Write(in LimitCharge charge, Span<RedisValue> arguments)
    {
        var limit = charge.Limit;
        arguments[0] = limit.Algorithm switch
        {
            RateLimitAlgorithm.FixedWindow => "fixed",
            RateLimitAlgorithm.SlidingWindow => "sliding",
            RateLimitAlgorithm.TokenBucket => "bucket",
            RateLimitAlgorithm.Concurrency => "concurrency",
            _ => "total",
        };
        arguments[1] = charge.Permits;
        arguments[2] = charge.Cost;
        arguments[3] = limit.Algorithm == RateLimitAlgorithm.Total ? limit.Until.ToUnixTimeMilliseconds() : (long)Math.Ceiling(limit.Span.TotalMilliseconds);
        arguments[4] = limit.IsShadow ? 1 : 0;
    }

    private static Charge Parse(RedisResult[] result, LimitCharge[] charges)
    {
        var states = new LimitState[charges.Length];
        for (var i = 0; i < states.Length; i++)
        {
            var wait = (long)result[3 + (3 * i)];
            states[i] = new LimitState(
                charges[i].Limit, charges[i].Permits, (long)result[1 + (3 * i)], TimeSpan.FromMilliseconds((long)result[2 + (3 * i)]),
                TimeSpan.FromMilliseconds(Math.Max(0, wait)), IsPossible: wait >= 0);
        }

        return new Charge((long)result[0] == 1, states);
    }
}
