using Gateway.ChangeLog;
using Gateway.Redis;
using Gateway.Tokens.Revocations;
using StackExchange.Redis;

namespace Gateway.Tokens.ApiKeys;

/// <summary>What became of a change to the keys.</summary>
internal enum ApiKeyOutcome
{
    Done,

    /// <summary>As many as can be kept are kept.</summary>
    Full,

    /// <summary>It does not exist, or was changed meanwhile.</summary>
    Missing,

    /// <summary>Redis did not answer: it may be done or not.</summary>
    Unavailable,
}

/// <summary>A key as it was read.</summary>
/// <param name="Entry">The text that Redis holds.</param>
internal sealed record StoredApiKey(string Id, ApiKey Key, string Entry);

/// <summary>
/// The keys of all nodes, in Redis. A rotation is told to them by the change log. What is revoked is kept as a revocation
/// before it is removed: so it is refused also where it is being looked up, and an old snapshot does not bring it back.
/// </summary>
internal sealed class ApiKeyStore(RedisConnection redis, RedisKeys keys, SharedChangeLog log, RevocationStore revocations, RedisClock clock)
{
    /// <summary>How many Redis keeps.</summary>
    public const int MaxKeys = 100_000;

    // For as long as a snapshot from before the revocation may be put back.
    private static readonly TimeSpan RememberRevoked = TimeSpan.FromDays(90);
    private static readonly RedisScript ChangeScript = RedisScript.Load("Tokens/ApiKeys/change.lua");

    /// <summary>What changes when the key under an id is rotated, or is gone.</summary>
    public static Selector SelectorOf(string id) => Selector.Of("api-key", id);

    public async ValueTask<ApiKeyOutcome> CreateAsync(string id, ApiKey key, CancellationToken cancellationToken) =>
        await ChangeAsync(["create", id, key.ToText(), key.End, MaxKeys], cancellationToken) switch
        {
            null => ApiKeyOutcome.Unavailable,
            true => ApiKeyOutcome.Done,
            false => ApiKeyOutcome.Full,
        };

    /// <returns>Unanswered: Redis is away. Null: there is none.</returns>
    public async ValueTask<RedisReply<StoredApiKey?>> ReadAsync(string id, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            static (database, state) => database.HashGetAsync(state.Keys, state.Id), (Keys: keys.ApiKeys, Id: (RedisValue)id), cancellationToken);
        return reply.TryGet(out var entry) ? new(Read(id, entry)) : default;
    }

    /// <summary>Keys in the order in which they end, those without an end last.</summary>
    public async ValueTask<IReadOnlyList<StoredApiKey>?> ListAsync(int skip, int take, CancellationToken cancellationToken)
    {
        var now = clock.Now.ToUnixTimeMilliseconds();
        var reply = await redis.TryAsync(database => database.SortedSetRangeByScoreAsync(keys.ApiKeyEnds, now, skip: skip, take: take), cancellationToken);
        if (!reply.TryGet(out var ids))
            return null;
        if (ids.Length == 0)
            return [];
        var entries = await redis.TryAsync(database => database.HashGetAsync(keys.ApiKeys, ids), cancellationToken);
        return entries.TryGet(out var found) ? [.. ids.Select((id, i) => Read(id.ToString(), found[i])).OfType<StoredApiKey>()] : null;
    }

    /// <summary>Replaces a key; in force on this node when this returns, on the others within moments.</summary>
    public async ValueTask<ApiKeyOutcome> ReplaceAsync(StoredApiKey before, ApiKey after, CancellationToken cancellationToken)
    {
        var isDone = await ChangeAsync(["replace", before.Id, after.ToText(), before.Entry], cancellationToken);
        if (isDone == false)
            return ApiKeyOutcome.Missing;
        // Also after a change without an answer: it may have been made, and nodes would go on with what they know.
        var receipt = await log.TryAppendAsync([SelectorOf(before.Id)], cancellationToken);
        return isDone is null || receipt is null ? ApiKeyOutcome.Unavailable : ApiKeyOutcome.Done;
    }

    /// <summary>Revokes a key for good.</summary>
    public async ValueTask<(ApiKeyOutcome Outcome, ChangeReceipt Receipt)> RevokeAsync(StoredApiKey key, CancellationToken cancellationToken)
    {
        var ends = Math.Min(key.Key.End / 1000, (clock.Now + RememberRevoked).ToUnixTimeSeconds());
        var (outcome, receipt) = await revocations.AddAsync(
            [new Revocation(RevocationId.OfJti(key.Key.Scheme, key.Id), Revocation.Always, ends)], cancellationToken);
        if (outcome == RevocationOutcome.Unavailable || await ChangeAsync(["remove", key.Id], cancellationToken) is null)
            return (ApiKeyOutcome.Unavailable, default);
        if (outcome == RevocationOutcome.Written)
            return (ApiKeyOutcome.Done, receipt);
        // No more revocations fit: that the key is gone is told like any change of it, and an old snapshot is not guarded against.
        return await log.TryAppendAsync([SelectorOf(key.Id)], cancellationToken) is { } told ? (ApiKeyOutcome.Done, told) : (ApiKeyOutcome.Unavailable, default);
    }

    private async ValueTask<bool?> ChangeAsync(RedisValue[] arguments, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ApiKeys, keys.ApiKeyEnds];
        var reply = await redis.TryAsync(database => ChangeScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        return reply.TryGet(out var result) ? (int)result == 1 : null;
    }

    private static StoredApiKey? Read(string id, RedisValue entry) =>
        entry.IsNull || ApiKey.Parse(entry.ToString()) is not { } key ? null : new StoredApiKey(id, key, entry.ToString());
}
