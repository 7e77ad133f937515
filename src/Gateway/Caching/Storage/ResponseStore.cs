using Gateway.Caching.Keys;

namespace Gateway.Caching.Storage;

/// <summary>The two tiers as one: memory first, then Redis. A target with <c>Vary</c> has a <see cref="VaryIndex"/> under its primary key.</summary>
internal sealed class ResponseStore(MemoryStore memory, RedisStore redis)
{
    // A stale response is worth keeping as long as it may be revalidated.
    private static readonly TimeSpan RevalidationWindow = TimeSpan.FromHours(1);
    private static readonly TimeSpan MaxRetention = TimeSpan.FromDays(30);

    private readonly UnawaitedWrites _unawaited = new();

    /// <summary>Looks for a response in this process. Takes no lock, does not wait, and leaves <paramref name="key"/> as it was.</summary>
    /// <param name="key">The primary key.</param>
    /// <param name="fields">The request's fields that select a variant.</param>
    public Lookup FindInMemory(ref KeyWriter key, IHeaderDictionary fields)
    {
        var entry = memory.Get(key.Written);
        return entry is VaryIndex index ? new Lookup(index.Find(ref key, fields), index) : new Lookup(entry as StoredResponse, null);
    }

    /// <summary>Looks for a response in Redis, and keeps what it finds in memory.</summary>
    public ValueTask<Lookup> FindInRedisAsync(string primaryKey, IHeaderDictionary fields, CancellationToken cancellationToken) =>
        ReadRedisAsync(primaryKey, fields, isKept: true, cancellationToken);

    /// <summary>Looks for a response in Redis, and leaves memory as it is.</summary>
    public ValueTask<Lookup> PeekInRedisAsync(string primaryKey, IHeaderDictionary fields, CancellationToken cancellationToken) =>
        ReadRedisAsync(primaryKey, fields, isKept: false, cancellationToken);

    /// <summary>Stores a response in this process.</summary>
    /// <param name="suffix">The key of its variant without the primary one.</param>
    public void StoreInMemory(string primaryKey, string suffix, StoredResponse response)
    {
        if (response.Vary.IsNone)
            memory.Set(primaryKey, response);
        else
            UpdateIndex(primaryKey, index => index.With(response.Vary, suffix, response));
    }

    /// <summary>Stores a response for all nodes.</summary>
    /// <param name="suffix">The key of its variant without the primary one.</param>
    /// <param name="staleFor">For how many seconds it is of use after its freshness.</param>
    /// <param name="isAwaited">Whether to complete when Redis has answered. Else a write of one step goes on by itself.</param>
    public Task StoreInRedisAsync(
        string primaryKey, string suffix, StoredResponse response, long staleFor, bool isAwaited, CancellationToken cancellationToken)
    {
        var retention = RetentionOf(response, staleFor);
        if (response.Vary.IsNone)
            return Write(redis.SetAsync(primaryKey, response, retention, cancellationToken), isAwaited);

        var index = IndexOf(primaryKey).With(response.Vary, suffix, response);
        return index.Variants.Length == 1 && response.Body.Length <= VaryIndex.MaxInlineBody
            ? Write(redis.SetAsync(primaryKey, index, response, retention, cancellationToken), isAwaited)
            : StoreAmongVariantsAsync(primaryKey, index, response, staleFor, cancellationToken);
    }

    /// <summary>Drops a response from this process, where it is still the one stored.</summary>
    public void RemoveFromMemory(string primaryKey, StoredResponse response) => ReplaceInMemory(primaryKey, response, null);

    /// <summary>Puts a response in the place of another of the same request in this process, where that is still the one stored.</summary>
    public void ReplaceInMemory(string primaryKey, StoredResponse old, StoredResponse? response) => memory.Update(
        primaryKey, entry => entry is VaryIndex index ? index.Replace(old, response) : ReferenceEquals(entry, old) ? response : entry);

    /// <summary>Empties this process's memory.</summary>
    public void ClearMemory() => memory.Clear();

    private async ValueTask<Lookup> ReadRedisAsync(string primaryKey, IHeaderDictionary fields, bool isKept, CancellationToken cancellationToken)
    {
        var entry = await redis.GetAsync(primaryKey, cancellationToken);
        if (entry is null)
            return default;
        if (entry is StoredResponse only)
            return new Lookup(isKept ? Keep(primaryKey, only) : only, null);

        var index = (VaryIndex)entry;
        var inline = index.Variants is [{ Response: not null } first, ..] ? first : default;
        if (isKept)
            UpdateIndex(primaryKey, known => index = index.Join(known));
        StoredResponse? latest = null;
        foreach (var rule in index.Rules)
        {
            var suffix = CacheKey.VariantSuffix(rule, fields);
            if (await FindVariantAsync(suffix) is { } found)
                latest = StoredResponse.LaterOf(latest, found);
        }

        return new Lookup(latest, index);

        async ValueTask<StoredResponse?> FindVariantAsync(string suffix)
        {
            if (suffix == inline.Suffix)
                return index.Variants[0].Response;
            if (!index.Has(suffix) || await redis.GetAsync(primaryKey + suffix, cancellationToken) is not StoredResponse found)
                return null;
            found.HasOwnKey = true;
            return isKept ? Keep(primaryKey, found, suffix) : found;
        }
    }

    // What this process has may be newer: Redis may have been away, or the body too large for it.
    private StoredResponse Keep(string primaryKey, StoredResponse found)
    {
        var kept = found;
        memory.Update(primaryKey, entry => kept = entry is StoredResponse known && known.Supersedes(found) ? known : found);
        return kept;
    }

    private StoredResponse Keep(string primaryKey, StoredResponse found, string suffix)
    {
        var kept = found;
        UpdateIndex(primaryKey, index =>
        {
            if (Array.Find(index.Variants, variant => variant.Suffix == suffix).Response is { } known && known.Supersedes(found))
                kept = known;
            return index.With(found.Vary, suffix, kept);
        });
        return kept;
    }

    private Task Write(ValueTask<bool> write, bool isAwaited) => isAwaited ? write.AsTask() : _unawaited.Add(write);

    // Waited for, so that of two such writes for a target the later one is not overtaken.
    private async Task StoreAmongVariantsAsync(
        string primaryKey, VaryIndex index, StoredResponse response, long staleFor, CancellationToken cancellationToken)
    {
        // No variant that is known here may outlive the index: it would not be found.
        var retention = index.Variants.Max(variant => variant.Response is { } known ? RetentionOf(known, staleFor) : TimeSpan.Zero);
        await MakeRoomInIndexAsync(primaryKey, index, staleFor, cancellationToken);
        if (response.Body.Length <= VaryIndex.MaxInlineBody)
            await redis.SetAsync(primaryKey, index, response, retention, cancellationToken);
        else if (await SetVariantAsync(primaryKey, index.Variants[0].Suffix, response, RetentionOf(response, staleFor), cancellationToken))
            await redis.SetAsync(primaryKey, index, null, retention, cancellationToken);
    }

    // The one that stood in the index gets a key of its own. Where this process does not hold it any more, it is lost: a miss.
    private async ValueTask MakeRoomInIndexAsync(string primaryKey, VaryIndex index, long staleFor, CancellationToken cancellationToken)
    {
        foreach (var (suffix, former) in index.Variants.Skip(1))
        {
            if (former is { HasOwnKey: false })
                await SetVariantAsync(primaryKey, suffix, former, RetentionOf(former, staleFor), cancellationToken);
        }
    }

    private async ValueTask<bool> SetVariantAsync(
        string primaryKey, string suffix, StoredResponse response, TimeSpan retention, CancellationToken cancellationToken) =>
        response.HasOwnKey = await redis.SetAsync(primaryKey + suffix, response, retention, cancellationToken);

    private VaryIndex IndexOf(string primaryKey) => memory.Get(primaryKey) as VaryIndex ?? VaryIndex.Empty;

    private void UpdateIndex(string primaryKey, Func<VaryIndex, VaryIndex> change) =>
        memory.Update(primaryKey, entry => change(entry as VaryIndex ?? VaryIndex.Empty).Within(memory.RoomFor(primaryKey)));

    private static TimeSpan RetentionOf(StoredResponse response, long staleFor)
    {
        var useful = Math.Max(staleFor, response.HasValidator ? (long)RevalidationWindow.TotalSeconds : 0);
        var seconds = Math.Max(0, response.FreshnessLifetime - response.InitialAge) + useful;
        return TimeSpan.FromSeconds(Math.Clamp(seconds, 1, (long)MaxRetention.TotalSeconds));
    }
}

/// <summary>What a look-up found.</summary>
/// <param name="Response">The response selected by the request's fields, fresh or not.</param>
/// <param name="Index">The variants that the target is known to have; null for none.</param>
internal readonly record struct Lookup(StoredResponse? Response, VaryIndex? Index)
{
    /// <summary>Whether the target is known to have variants.</summary>
    public bool HasVariants => Index is not null;
}
