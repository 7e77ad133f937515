using Gateway.Redis;

namespace Gateway.RateLimiting;

/// <summary>What a request takes from one limit.</summary>
/// <param name="Key">The counter's key.</param>
/// <param name="Permits">The limit of the request's tier.</param>
/// <param name="Cost">How many permits the request takes.</param>
internal readonly record struct LimitCharge(RateLimit Limit, string Key, string Identity, long Permits, long Cost);

/// <summary>What a limit says of a request.</summary>
/// <param name="Used">Permits in use, those of this request included if it was admitted.</param>
/// <param name="Reset">How long until all of them are free if nothing more comes.</param>
/// <param name="Wait">How long until this cost can pass; zero: now.</param>
/// <param name="IsPossible">Whether this cost ever can pass.</param>
internal readonly record struct LimitState(RateLimit Limit, long Permits, long Used, TimeSpan Reset, TimeSpan Wait, bool IsPossible = true)
{
    public long Remaining => Math.Max(0, Permits - Used);

    public bool IsOver => Wait > TimeSpan.Zero || !IsPossible;
}

/// <summary>What all limits of a policy say of a request.</summary>
internal sealed record Charge(bool IsAdmitted, LimitState[] Limits);

/// <summary>Finds the counters of a request, and what it takes from each.</summary>
internal sealed class RequestCharges(RedisKeys keys, IdentityBudget budget)
{
    private static readonly IdentityPart[] ByAddress = [IdentityPart.ClientIp];

    /// <returns>Null with the name of the field that holds no cost.</returns>
    public LimitCharge[]? Of(RateLimitPolicy policy, HttpContext context, out string? badField)
    {
        badField = null;
        var charges = new LimitCharge[policy.Limits.Count];
        string? identity = null;
        for (var i = 0; i < charges.Length; i++)
        {
            var limit = policy.Limits[i];
            if (identity is null || !policy.HasOneIdentity)
                identity = IdentityOf(limit, context);
            var cost = limit.Cost;
            if (limit.CostFromRequest is { } field && context.Request.Headers.TryGetValue(field, out var value) && !RequestCost.TryRead(value, out cost))
            {
                badField = field;
                return null;
            }

            var permits = limit.PermitsOf(static (part, context) => part.Read(context), context);
            charges[i] = new LimitCharge(limit, KeyOf(policy, limit, identity), identity, permits, cost);
        }

        return charges;
    }

    /// <summary>The counters of the client that <paramref name="identity"/> describes.</summary>
    public LimitCharge[] Of(RateLimitPolicy policy, Func<IdentityPart, string?> identity) =>
        [.. policy.Limits.Select(limit =>
        {
            var id = RateLimitIdentity.Of(limit.By, static (part, read) => read(part), identity);
            return new LimitCharge(limit, KeyOf(policy, limit, id), id, limit.PermitsOf(static (part, read) => read(part), identity), 1);
        })];

    private string IdentityOf(RateLimit limit, HttpContext context)
    {
        var identity = RateLimitIdentity.Of(limit.By, context);
        if (!limit.CanBeInvented || budget.Admits(IdentityPart.ClientNetwork(context.Connection.RemoteIpAddress), identity))
            return identity;
        return RateLimitIdentity.Of(ByAddress, context);
    }

    private string KeyOf(RateLimitPolicy policy, RateLimit limit, string identity)
    {
        // The algorithm is in the key, because each has a type of its own: a reload may change it.
        var counter = limit.Algorithm switch
        {
            RateLimitAlgorithm.FixedWindow => $"f:{limit.Name}",
            RateLimitAlgorithm.SlidingWindow => $"s:{limit.Name}",
            RateLimitAlgorithm.TokenBucket => $"b:{limit.Name}",
            RateLimitAlgorithm.Concurrency => $"c:{limit.Name}",
            _ => $"t:{limit.Name}",
        };
        return (policy.HasOneIdentity ? keys.RateLimitOfClient(policy.Name, identity, counter) : keys.RateLimitOfPolicy(policy.Name, identity, counter)).ToString();
    }
}
