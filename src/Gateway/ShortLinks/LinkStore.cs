using System.Security.Cryptography;
using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ShortLinks;

/// <summary>What a visit of a link with a maximum came to.</summary>
internal enum VisitDecision
{
    Expired = -3,
    NotYet = -2,
    Unknown = -1,
    UsedUp = 0,
    Admitted = 1,
}

/// <summary>What came of writing a link: whether this call wrote it, and the link that holds the slug now.</summary>
internal readonly record struct LinkWrite(bool IsWritten, ShortLink? Link);

/// <summary>
/// The links of all nodes, in Redis. The index is written before a link and shortened after one is gone: it may name
/// links that do not exist, and lacks none that do.
/// </summary>
internal sealed class LinkStore(RedisConnection redis, RedisKeys keys, SharedChangeLog log, NodeIdentity node)
{
    private static readonly RedisScript CreateScript = RedisScript.Load("ShortLinks/create.lua");
    private static readonly RedisScript UpdateScript = RedisScript.Load("ShortLinks/update.lua");
    private static readonly RedisScript VisitScript = RedisScript.Load("ShortLinks/visit.lua");
    private static readonly RedisScript CountScript = RedisScript.Load("ShortLinks/count.lua");
    private static readonly TimeSpan RememberRequestsFor = TimeSpan.FromDays(1);

    // A write has several steps. It is finished also if whoever asked for it is gone; each step has its deadline.
    private static readonly CancellationToken Uninterrupted = CancellationToken.None;

    /// <summary>Every link: what changes when more changes wait for Redis than can be remembered one by one.</summary>
    public static Selector AllLinks { get; } = Selector.Of("link", "*");

    public static Selector SelectorOf(string slug) => Selector.Of("link", slug);

    public async ValueTask<RedisReply<ShortLink?>> ReadAsync(string slug, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            static (database, key) => database.HashGetAsync(key, ShortLink.Fields), keys.ShortLink(slug), cancellationToken);
        return reply.TryGet(out var values) ? new(ShortLink.Read(slug, values)) : default;
    }

    /// <summary>Makes a link unless the slug is taken.</summary>
    public async ValueTask<RedisReply<LinkWrite>> CreateAsync(string slug, LinkDefinition definition, string request)
    {
        var indexed = await redis.TryAsync(database => database.SortedSetAddAsync(keys.ShortLinkIndex, slug, 0), Uninterrupted);
        if (!indexed.IsAnswered)
            return default;
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        RedisKey[] scriptKeys = [keys.ShortLink(slug), keys.ShortLinkVisits(slug), keys.ShortLinkBatches(slug)];
        RedisValue[] arguments = [id, .. definition.ToRedis(), request];
        return await WriteAsync(slug, CreateScript, scriptKeys, arguments);
    }

    /// <summary>Replaces what a link says.</summary>
    public ValueTask<RedisReply<LinkWrite>> UpdateAsync(string slug, LinkDefinition definition) =>
        WriteAsync(slug, UpdateScript, [keys.ShortLink(slug)], definition.ToRedis());

    /// <summary>Removes a link and everything kept for it.</summary>
    /// <returns>Whether there was such a link.</returns>
    public async ValueTask<RedisReply<bool>> DeleteAsync(string slug)
    {
        var link = keys.ShortLink(slug);
        RedisKey[] all = [link, keys.ShortLinkVisits(slug), keys.ShortLinkBatches(slug)];
        var reply = await redis.TryAsync(database => database.KeyDeleteAsync(all), Uninterrupted);
        await SpreadAsync(slug);
        if (!reply.TryGet(out var deleted))
            return default;

        var shortened = await redis.TryAsync(database => database.SortedSetRemoveAsync(keys.ShortLinkIndex, slug), Uninterrupted);
        // Somebody may have made the link anew between the two.
        var exists = await redis.TryAsync(database => database.KeyExistsAsync(link), Uninterrupted);
        if (exists.TryGet(out var isThere) && isThere)
            await redis.TryAsync(database => database.SortedSetAddAsync(keys.ShortLinkIndex, slug, 0), Uninterrupted);
        return shortened.IsAnswered ? new(deleted > 0) : default;
    }

    /// <summary>Links in the order of their slugs (by bytes).</summary>
    /// <param name="prefix">What the slugs begin with.</param>
    /// <param name="after">The slug after which to begin; empty for the first page.</param>
    /// <param name="limit">How many at most.</param>
    /// <returns>The links, and the last slug looked at: null when there are no more.</returns>
    public async ValueTask<RedisReply<(IReadOnlyList<ShortLink> Links, string? Last)>> ListAsync(
        string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        // Slugs are ASCII: 0x7F follows every one that begins with the prefix.
        var isFirst = after.Length == 0 || string.CompareOrdinal(after, prefix) < 0;
        RedisValue from = !isFirst ? after : prefix.Length > 0 ? prefix : RedisValue.Null;
        var reply = await redis.TryAsync(
            database => database.SortedSetRangeByValueAsync(
                keys.ShortLinkIndex, from, prefix + "\x7f", isFirst ? Exclude.None : Exclude.Start, Order.Ascending, 0, limit),
            cancellationToken);
        if (!reply.TryGet(out var found))
            return default;

        var slugs = Array.ConvertAll(found, value => (string)value!);
        var links = await redis.TryAsync(
            database => Task.WhenAll(slugs.Select(slug => database.HashGetAsync(keys.ShortLink(slug), ShortLink.Fields))), cancellationToken);
        if (!links.TryGet(out var values))
            return default;
        ShortLink[] existing = [.. slugs.Select((slug, i) => ShortLink.Read(slug, values[i])).OfType<ShortLink>()];
        return new((existing, slugs.Length == limit ? slugs[^1] : null));
    }

    /// <summary>Binds a slug to an <c>Idempotency-Key</c>, unless one was bound before.</summary>
    /// <returns>The slug that is bound.</returns>
    public async ValueTask<RedisReply<string>> BindRequestAsync(string keyHash, string slug, CancellationToken cancellationToken)
    {
        var key = keys.ShortLinkRequest(keyHash);
        var bound = await redis.TryAsync(database => database.StringSetAsync(key, slug, RememberRequestsFor, When.NotExists), cancellationToken);
        if (!bound.TryGet(out var isNew))
            return default;
        if (isNew)
            return new(slug);
        var earlier = await redis.TryAsync(database => database.StringGetAsync(key), cancellationToken);
        return earlier.TryGet(out var value) ? new(value.IsNullOrEmpty ? slug : (string)value!) : default;
    }

    /// <summary>Forgets the slug bound to an <c>Idempotency-Key</c>.</summary>
    public async ValueTask UnbindRequestAsync(string keyHash, CancellationToken cancellationToken) =>
        await redis.TryAsync(database => database.KeyDeleteAsync(keys.ShortLinkRequest(keyHash)), cancellationToken);

    /// <summary>Decides a visit of a link with a maximum. Never tried again: a call without an answer may have consumed.</summary>
    public async ValueTask<RedisReply<VisitDecision>> TryVisitAsync(string slug, bool consume, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            static (database, state) => VisitScript.EvaluateAsync(database, state.Keys, [state.consume ? 1 : 0]),
            (Keys: new RedisKey[] { keys.ShortLink(slug), keys.ShortLinkVisits(slug) }, consume), cancellationToken);
        return reply.TryGet(out var result) ? new((VisitDecision)(int)result) : default;
    }

    /// <summary>Adds visits to a link's counter, once for each batch number however often it is sent.</summary>
    /// <returns>The link's visits with these; not positive where the batch was added before, or the link is gone.</returns>
    public async ValueTask<RedisReply<long>> TryCountAsync(VisitedLink link, VisitBatch batch, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ShortLink(link.Slug), keys.ShortLinkVisits(link.Slug), keys.ShortLinkBatches(link.Slug)];
        RedisValue[] arguments = [link.Id, node.Id, batch.Number, batch.Visits];
        var reply = await redis.TryAsync(database => CountScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        return reply.TryGet(out var result) ? new((long)result) : default;
    }

    public async ValueTask<RedisReply<long>> ReadVisitsAsync(string slug, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(database => database.StringGetAsync(keys.ShortLinkVisits(slug)), cancellationToken);
        return reply.TryGet(out var value) ? new((long)value) : default;
    }

    private async ValueTask<RedisReply<LinkWrite>> WriteAsync(string slug, RedisScript script, RedisKey[] scriptKeys, RedisValue[] arguments)
    {
        var reply = await redis.TryAsync(database => script.EvaluateAsync(database, scriptKeys, arguments), Uninterrupted);
        if (!reply.TryGet(out var result))
        {
            await SpreadAsync(slug);
            return default;
        }

        var isWritten = (int)result[0] == 1;
        if (isWritten)
            await SpreadAsync(slug);
        return new(new LinkWrite(isWritten, ShortLink.Read(slug, (RedisValue[])result[1]!)));
    }

    // Also after a write without an answer: it may have been made, and nodes would go on with their copies.
    private async ValueTask SpreadAsync(string slug) => await log.AppendOrQueueAsync([SelectorOf(slug)], AllLinks, Uninterrupted);
}
