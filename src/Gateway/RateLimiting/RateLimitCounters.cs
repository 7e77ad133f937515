using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>What a limit says of a request.</summary>
/// <param name="Limit">The limit.</param>
/// <param name="Count">Requests counted in the window, this one included if it was admitted.</param>
/// <param name="Reset">How long until the window ends.</param>
internal readonly record struct LimitState(RateLimit Limit, long Count, TimeSpan Reset)
{
    public long Remaining => Math.Max(0, Limit.PermitLimit - Count);
}

/// <summary>What all limits of a policy say of a request.</summary>
internal sealed record Charge(bool IsAdmitted, IReadOnlyList<LimitState> Limits);

/// <summary>The counters of all nodes, in Redis.</summary>
internal sealed class RateLimitCounters(RedisConnection redis, RedisKeys keys)
{
    private static readonly RedisScript ChargeScript = RedisScript.Load("RateLimiting/charge.lua");

    /// <summary>The keys of a request's counters, one per limit.</summary>
    public RedisKey[] KeysOf(RateLimitPolicy policy, HttpContext context)
    {
        var counters = new RedisKey[policy.Limits.Count];
        if (policy.HasOneIdentity)
        {
            var identity = RateLimitIdentity.Of(policy.Limits[0].By, context);
            for (var i = 0; i < counters.Length; i++)
                counters[i] = keys.RateLimitOfClient(policy.Name, identity, policy.Limits[i].Name);
        }
        else
        {
            for (var i = 0; i < counters.Length; i++)
                counters[i] = keys.RateLimitOfPolicy(policy.Name, RateLimitIdentity.Of(policy.Limits[i].By, context), policy.Limits[i].Name);
        }

        return counters;
    }

    /// <summary>Counts a request where all limits admit it. Never tried again: a call without an answer may have counted.</summary>
    /// <returns>Null when Redis did not answer.</returns>
    public async ValueTask<Charge?> TryChargeAsync(RateLimitPolicy policy, RedisKey[] counters, CancellationToken cancellationToken)
    {
        var arguments = new RedisValue[2 * counters.Length];
        for (var i = 0; i < counters.Length; i++)
        {
            arguments[2 * i] = policy.Limits[i].PermitLimit;
            arguments[(2 * i) + 1] = (long)policy.Limits[i].Window.TotalMilliseconds;
        }

        var reply = await redis.TryAsync(
            static (database, state) => ChargeScript.EvaluateAsync(database, state.counters, state.arguments), (counters, arguments), cancellationToken);
        if (!reply.TryGet(out var result))
            return null;

        var states = new LimitState[counters.Length];
        for (var i = 0; i < states.Length; i++)
            states[i] = new LimitState(policy.Limits[i], (long)result[1 + (2 * i)], TimeSpan.FromMilliseconds((long)result[2 + (2 * i)]));
        return new Charge((long)result[0] == 1, states);
    }
}
