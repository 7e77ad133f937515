using Gateway.Caching.Keys;

namespace Gateway.Caching.Storage;

/// <summary>The two tiers as one: memory first, then Redis. A target with <c>Vary</c> has an index under its primary key.</summary>
internal sealed class ResponseStore(MemoryStore memory, RedisStore redis)
{
    // A stale response is worth keeping as long as it may be revalidated.
    private static readonly TimeSpan RevalidationWindow = TimeSpan.FromHours(1);
    private static readonly TimeSpan MaxRetention = TimeSpan.FromDays(30);

    /// <summary>Looks for a response in this process. Takes no lock and does not wait.</summary>
    public Lookup FindInMemory(string primaryKey, IHeaderDictionary fields)
    {
        var entry = memory.Get(primaryKey);
        if (entry is not VaryIndex index)
            return new Lookup(entry as StoredResponse, false);
        foreach (var rule in index.Rules)
        {
            if (memory.Get(CacheKey.Variant(primaryKey, rule, fields)) is StoredResponse response)
                return new Lookup(response, true);
        }

        return new Lookup(null, true);
    }

    /// <summary>Looks for a response in Redis, and keeps what it finds in memory.</summary>
    public async ValueTask<Lookup> FindInRedisAsync(string primaryKey, IHeaderDictionary fields, CancellationToken cancellationToken)
    {
        var entry = await redis.GetAsync(primaryKey, cancellationToken);
        if (entry is null)
            return default;
        memory.Set(primaryKey, entry);
        if (entry is not VaryIndex index)
            return new Lookup((StoredResponse)entry, false);

        foreach (var rule in index.Rules)
        {
            var key = CacheKey.Variant(primaryKey, rule, fields);
            if (await redis.GetAsync(key, cancellationToken) is not StoredResponse response)
                continue;
            memory.Set(key, response);
            return new Lookup(response, true);
        }

        return new Lookup(null, true);
    }

    /// <summary>Stores a response in this process.</summary>
    /// <param name="fields">The fields of the request that the response answers.</param>
    public void StoreInMemory(string primaryKey, IHeaderDictionary fields, StoredResponse response)
    {
        if (response.Vary.Names.Count == 0)
        {
            memory.Set(primaryKey, response);
            return;
        }

        // The index last: it must not promise what is not there yet.
        memory.Set(CacheKey.Variant(primaryKey, response.Vary, fields), response);
        memory.Set(primaryKey, IndexWith(primaryKey, response));
    }

    /// <summary>Stores a response for all nodes.</summary>
    /// <param name="fields">The fields of the request that the response answers.</param>
    /// <returns>Whether other nodes can find it.</returns>
    public async ValueTask<bool> StoreInRedisAsync(
        string primaryKey, IHeaderDictionary fields, StoredResponse response, CancellationToken cancellationToken)
    {
        var retention = RetentionOf(response);
        if (response.Vary.Names.Count == 0)
            return await redis.SetAsync(primaryKey, response, retention, cancellationToken);

        // The index is written each time, because it must not expire before the variant.
        return await redis.SetAsync(CacheKey.Variant(primaryKey, response.Vary, fields), response, retention, cancellationToken)
            && await redis.SetAsync(primaryKey, IndexWith(primaryKey, response), retention, cancellationToken);
    }

    /// <summary>Drops a response from this process, where it is still the one stored.</summary>
    public void RemoveFromMemory(string primaryKey, IHeaderDictionary fields, StoredResponse response) =>
        memory.Remove(response.Vary.Names.Count == 0 ? primaryKey : CacheKey.Variant(primaryKey, response.Vary, fields), response);

    /// <summary>Empties this process's memory.</summary>
    public void ClearMemory() => memory.Clear();

    private VaryIndex IndexWith(string primaryKey, StoredResponse response) =>
        (memory.Get(primaryKey) as VaryIndex ?? new VaryIndex([])).With(response.Vary);

    private static TimeSpan RetentionOf(StoredResponse response)
    {
        var fresh = TimeSpan.FromSeconds(Math.Clamp(response.FreshnessLifetime - response.InitialAge, 0, (long)MaxRetention.TotalSeconds));
        var retention = response.HasValidator ? fresh + RevalidationWindow : fresh;
        return retention < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : retention > MaxRetention ? MaxRetention : retention;
    }
}

/// <summary>What a look-up found.</summary>
/// <param name="Response">The response selected by the request's fields, fresh or not.</param>
/// <param name="HasVariants">Whether the target is known to have variants.</param>
internal readonly record struct Lookup(StoredResponse? Response, bool HasVariants);
