using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>What every fetch uses.</summary>
/// <param name="Store">The two tiers.</param>
/// <param name="ChangeLog">What was purged.</param>
/// <param name="Clock">The time that stored responses carry.</param>
/// <param name="Budget">The memory of recordings.</param>
/// <param name="OriginTimes">How long origins take.</param>
/// <param name="Time">The time of this process.</param>
internal sealed record FetchServices(
    ResponseStore Store,
    SharedChangeLog ChangeLog,
    RedisClock Clock,
    RecordingBudget Budget,
    OriginTimes OriginTimes,
    TimeProvider Time)
{
    /// <summary>Keys whose last response could not be shared: requests for them do not wait for each other.</summary>
    public RecentKeys HitForMiss { get; } = new(Time);

    /// <summary>Keys whose refresh in the background failed: it is not tried again at once.</summary>
    public RecentKeys FailedRefreshes { get; } = new(Time);

    /// <summary>Stores a response in this process, unless what it answers was purged since it was asked for. RFC 9111 §4.4.</summary>
    public bool TryStoreInMemory(CacheExchange exchange, StoredResponse response)
    {
        if (ChangeLog.Check(response.Stamp, response.Selectors) == ChangeVerdict.Changed)
            return false;
        Store.StoreInMemory(exchange.PrimaryKey, exchange.SelectingFields, response);
        return true;
    }

    /// <summary>
    /// Lets a soft purge take effect: the response is stale from now on, in this process's memory too, and all that the
    /// rules say of stale responses follows.
    /// </summary>
    /// <returns>The response as it is now; the same when a hard purge came meanwhile, which is for the caller to see.</returns>
    public StoredResponse Expire(CacheExchange exchange, StoredResponse stored)
    {
        // The stamp first: every change that it covers is then looked at below.
        var stamp = ChangeLog.Stamp;
        if (ChangeLog.Check(stored.Stamp, stored.Selectors) != ChangeVerdict.Stale)
            return stored;
        var expired = stored.Expired(Clock.Now, stamp);
        Store.ReplaceInMemory(exchange.PrimaryKey, exchange.SelectingFields, stored, expired);
        return expired;
    }

    /// <summary>Stores a response for all nodes. The client's going does not end it.</summary>
    public async Task StoreInRedisAsync(CacheExchange exchange, StoredResponse response)
    {
        var staleFor = exchange.Policy.Stale.Longest(response.CacheControl);
        await Store.StoreInRedisAsync(exchange.PrimaryKey, exchange.SelectingFields, response, staleFor, CancellationToken.None);
    }
}
