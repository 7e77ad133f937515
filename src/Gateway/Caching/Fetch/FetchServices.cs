using System.Globalization;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>What every fetch uses.</summary>
/// <param name="Store">The two tiers.</param>
/// <param name="ChangeLog">What was purged.</param>
/// <param name="Clock">The time that stored responses carry.</param>
/// <param name="Budget">The memory of recordings.</param>
/// <param name="Waiting">Those who wait for others' fetches.</param>
/// <param name="OriginTimes">How long origins take.</param>
/// <param name="Time">The time of this process.</param>
internal sealed record FetchServices(
    ResponseStore Store,
    SharedChangeLog ChangeLog,
    RedisClock Clock,
    RecordingBudget Budget,
    WaitingRequests Waiting,
    OriginTimes OriginTimes,
    TimeProvider Time)
{
    /// <summary>Keys whose last response could not be shared: requests for them do not wait for each other.</summary>
    public RecentKeys HitForMiss { get; } = new(Time);

    /// <summary>Keys whose refresh in the background failed, or is under way: it is not tried again at once.</summary>
    public RecentKeys FailedRefreshes { get; } = new(Time);

    /// <summary>
    /// What nodes lock to fetch a key: something else after each purge of the target, so that nobody waits for a fetch whose
    /// response would be of before it.
    /// </summary>
    public string LockKey(CacheExchange exchange, string key) => ChangeLog.LatestOf(exchange.TargetSelectors) is not 0 and var change
        ? string.Create(CultureInfo.InvariantCulture, $"{key}\n{change}")
        : key;

    /// <summary>Stores a response in this process, unless what it answers was purged since it was asked for. RFC 9111 §4.4.</summary>
    public bool TryStoreInMemory(CacheExchange exchange, StoredResponse response)
    {
        if (ChangeLog.Check(response.Stamp, response.Selectors) == ChangeVerdict.Changed)
            return false;
        Store.StoreInMemory(exchange.PrimaryKey, exchange.VariantSuffix(response.Vary), response);
        return true;
    }

    /// <summary>Stores a response for all nodes. The client's going does not end it.</summary>
    /// <param name="isAwaited">Whether somebody waits until other nodes can find it. Else it may go on by itself.</param>
    public Task StoreInRedisAsync(CacheExchange exchange, StoredResponse response, bool isAwaited)
    {
        var staleFor = exchange.Policy.Stale.Longest(response.CacheControl);
        return Store.StoreInRedisAsync(exchange.PrimaryKey, exchange.VariantSuffix(response.Vary), response, staleFor, isAwaited, CancellationToken.None);
    }
}
