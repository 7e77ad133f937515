using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
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

/// <summary>The counters of a client.</summary>
/// <param name="Identity">The hash by which the client is counted.</param>
/// <param name="Keys">One for each limit of the policy.</param>
internal sealed record KnownClient(string Identity, string[] Keys);

/// <summary>Finds the counters of a request, and what it takes from each.</summary>
internal sealed class RequestCharges(RedisKeys keys, IdentityBudget budget)
{
    /// <summary>How many clients each limit remembers the keys of.</summary>
    public const int MaxKnownClients = 4096;

    // What is longer is hashed each time: a client writes fields of 32 KB, and thousands of those would be remembered.
    private const int MaxRememberedLength = 256;

    /// <returns>Null with the name of the field that holds no cost.</returns>
    public LimitCharge[]? Of(RateLimitPolicy policy, HttpContext context, out string? badField)
    {
        badField = null;
        var charges = new LimitCharge[policy.Limits.Count];
        KnownClient? client = null;
        for (var i = 0; i < charges.Length; i++)
        {
            var limit = policy.Limits[i];
            if (client is null || !policy.HasOneIdentity)
                client = FindClient(policy, limit, context);
            var cost = limit.Cost;
            if (limit.CostFromRequest is { } field && context.Request.Headers.TryGetValue(field, out var value) && !RequestCost.TryRead(value, out cost))
            {
                badField = field;
                return null;
            }

            var permits = limit.PermitsOf(static (part, context) => part.Read(context), context);
            charges[i] = new LimitCharge(limit, client.Keys[i], client.Identity, permits, cost);
        }

        return charges;
    }

    /// <summary>What a request takes from the only limit of a policy, where that asks no field for its cost.</summary>
    public LimitCharge OfOnly(RateLimitPolicy policy, HttpContext context)
    {
        var limit = policy.Limits[0];
        var client = FindClient(policy, limit, context);
        return new LimitCharge(limit, client.Keys[0], client.Identity, limit.PermitLimit, limit.Cost);
    }

    /// <summary>The counters of the client that <paramref name="identity"/> describes.</summary>
    public LimitCharge[] Of(RateLimitPolicy policy, Func<IdentityPart, string?> identity) =>
        [.. policy.Limits.Select(limit =>
        {
            var id = RateLimitIdentity.Of(limit.By, static (part, read) => read(part), identity);
            return new LimitCharge(limit, KeyOf(policy, limit, id), id, limit.PermitsOf(static (part, read) => read(part), identity), 1);
        })];

    private KnownClient FindClient(RateLimitPolicy policy, RateLimit limit, HttpContext context)
    {
        if (!limit.CountsAddresses || context.Connection.RemoteIpAddress is not { } address)
            return FindDescribed(policy, limit, context);
        // The usual limit: an address need not be written out to be known.
        if (!limit.KnownAddresses.TryGetValue(address, out var client))
        {
            client = FindDescribed(policy, limit, context);
            Remember(limit.KnownAddresses, address, client);
        }

        return client;
    }

    private KnownClient FindDescribed(RateLimitPolicy policy, RateLimit limit, HttpContext context)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[MaxRememberedLength]);
        RateLimitIdentity.Describe(ref text, limit.By, static (part, context) => part.Read(context), context);
        var isKnown = limit.KnownClients.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(text.Text, out var client);
        client ??= NewClient(policy, RateLimitIdentity.Of(limit.By, text.Text));
        if (limit.CanBeInvented && !budget.Admits(IdentityPart.ClientNetwork(context.Connection.RemoteIpAddress), client.Identity))
            client = NewClient(policy, RateLimitIdentity.Of(limit.By, static (part, context) => part.CanBeInvented ? null : part.Read(context), context));
        else if (!isKnown && text.Text.Length <= MaxRememberedLength)
            Remember(limit.KnownClients, text.Text.ToString(), client);
        text.Clear();
        return client;
    }

    private KnownClient NewClient(RateLimitPolicy policy, string identity) =>
        new(identity, [.. policy.Limits.Select(limit => KeyOf(policy, limit, identity))]);

    private static void Remember<TKey>(ConcurrentDictionary<TKey, KnownClient> known, TKey key, KnownClient client)
        where TKey : notnull
    {
        if (known.Count >= MaxKnownClients)
            known.Clear();
        known[key] = client;
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
