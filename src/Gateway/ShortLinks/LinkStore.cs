using System.Security.Cryptography;
using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ShortLinks;

/// <summary>What came of writing a link: whether this call wrote it, and the link that holds the slug now.</summary>
internal readonly record struct LinkWrite(bool IsWritten, ShortLink? Link);

/// <summary>A link to be made.</summary>
/// <param name="Slug">Its slug.</param>
/// <param name="Definition">What it says.</param>
/// <param name="Request">See <see cref="ShortLink.Request"/>.</param>
/// <param name="Visits">The visits it begins with.</param>
internal sealed record NewLink(string Slug, LinkDefinition Definition, string Request, long Visits = 0);

/// <summary>A page of links.</summary>
/// <param name="Links">In the order of their slugs, by bytes.</param>
/// <param name="Last">The last slug looked at; null when there are no more.</param>
internal readonly record struct FoundLinks(IReadOnlyList<ShortLink> Links, string? Last);

/// <summary>The links of all nodes, in Redis. What changes is told to all nodes by the change log.</summary>
internal sealed class LinkStore(RedisConnection redis, RedisKeys keys, SharedChangeLog log, LinkIndex index, IdempotencyKeys idempotencyKeys)
{
    private static readonly RedisScript CreateScript = RedisScript.Load("ShortLinks/fields.lua", "ShortLinks/create.lua");
    private static readonly RedisScript UpdateScript = RedisScript.Load("ShortLinks/fields.lua", "ShortLinks/update.lua");
    private static readonly RedisScript DeleteScript = RedisScript.Load("ShortLinks/delete.lua");

    // A write has several steps. It is finished also if whoever asked for it is gone; each step has its deadline.
    private static readonly CancellationToken Uninterrupted = CancellationToken.None;

    /// <summary>Every link: what changes when more change at once than should be told one by one.</summary>
    public static Selector AllLinks { get; } = Selector.Of("link", "*");

    /// <summary>That links were made: it ends what is remembered of slugs without one, and concerns no link.</summary>
    public static Selector NewLinks { get; } = Selector.Of("link", "+");

    public static Selector SelectorOf(string slug) => Selector.Of("link", slug);

    public async ValueTask<RedisReply<ShortLink?>> ReadAsync(string slug, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            static (database, key) => database.HashGetAsync(key, ShortLink.Fields), keys.ShortLink(slug), cancellationToken);
        return reply.TryGet(out var values) ? new(ShortLink.Read(slug, values)) : default;
    }

    /// <summary>Makes a link unless the slug is taken.</summary>
    public async ValueTask<RedisReply<LinkWrite>> CreateAsync(NewLink link)
    {
        if (!await index.AddAsync([new(link.Slug, link.Definition.Tags)]))
            return default;
        var reply = await redis.TryAsync(database => CreateAsync(database, link), Uninterrupted);
        var isAnswered = reply.TryGet(out var result);
        var write = isAnswered ? ReadWrite(link.Slug, result!) : default;
        // Also after a write without an answer: it may have been made, and nodes would go on with their copies.
        if (!isAnswered || write.IsWritten)
            await SpreadAsync(SelectorOf(link.Slug));
        if (!isAnswered)
            return default;
        await UnindexAsync(link, write);
        return new(write);
    }

    /// <summary>
    /// Makes many links, those whose slug is not taken, in as few waits as one. Nodes are told once for all of them, so
    /// that a million new links do not push the purges of others out of the change log.
    /// </summary>
    /// <param name="links">At most some hundred, with different slugs.</param>
    public async ValueTask<RedisReply<LinkWrite[]>> CreateAsync(IReadOnlyList<NewLink> links)
    {
        if (!await index.AddAsync([.. links.Select(link => new IndexedSlug(link.Slug, link.Definition.Tags))]))
            return default;
        var reply = await redis.TryAsync(database => Task.WhenAll(links.Select(link => CreateAsync(database, link))), Uninterrupted);
        await SpreadAsync(NewLinks);
        if (!reply.TryGet(out var results))
            return default;
        var writes = new LinkWrite[results.Length];
        for (var i = 0; i < writes.Length; i++)
        {
            writes[i] = ReadWrite(links[i].Slug, results[i]);
            await UnindexAsync(links[i], writes[i]);
        }

        return new(writes);
    }

    /// <summary>Replaces what a link says.</summary>
    public async ValueTask<RedisReply<LinkWrite>> UpdateAsync(string slug, LinkDefinition definition)
    {
        if (definition.Tags.Count > 0 && !await index.AddAsync([new(slug, definition.Tags)]))
            return default;
        var reply = await redis.TryAsync(database => UpdateAsync(database, slug, definition), Uninterrupted);
        var isAnswered = reply.TryGet(out var result);
        var write = isAnswered ? ReadWrite(slug, result!) : default;
        if (!isAnswered || write.IsWritten)
            await SpreadAsync(SelectorOf(slug));
        if (!isAnswered)
            return default;
        // The index was told of a link that turned out not to exist, or of tags that are gone now.
        await index.RemoveAsync(slug, write.IsWritten ? LostTags(result!, definition) : definition.Tags, isGone: !write.IsWritten);
        return new(write);
    }

    /// <summary>Replaces what many links say; nodes are told once.</summary>
    public async ValueTask<RedisReply<LinkWrite[]>> UpdateAsync(IReadOnlyList<NewLink> links)
    {
        if (!await index.AddAsync([.. links.Select(link => new IndexedSlug(link.Slug, link.Definition.Tags))]))
            return default;
        var reply = await redis.TryAsync(
            database => Task.WhenAll(links.Select(link => UpdateAsync(database, link.Slug, link.Definition))), Uninterrupted);
        await SpreadAsync(AllLinks);
        if (!reply.TryGet(out var results))
            return default;
        var writes = new LinkWrite[results.Length];
        for (var i = 0; i < writes.Length; i++)
        {
            writes[i] = ReadWrite(links[i].Slug, results[i]);
            await index.RemoveAsync(
                links[i].Slug, writes[i].IsWritten ? LostTags(results[i], links[i].Definition) : links[i].Definition.Tags, isGone: !writes[i].IsWritten);
        }

        return new(writes);
    }

    /// <summary>Removes a link and everything kept for it.</summary>
    /// <returns>Whether there was such a link.</returns>
    public async ValueTask<RedisReply<bool>> DeleteAsync(string slug)
    {
        var before = await ReadAsync(slug, Uninterrupted);
        if (!before.TryGet(out var link))
            return default;
        var reply = await redis.TryAsync(database => DeleteScript.EvaluateAsync(database, AllKeysOf(slug), []), Uninterrupted);
        await SpreadAsync(SelectorOf(slug));
        var isAnswered = reply.TryGet(out var result);
        // What was read before counts too: without an answer the link may be gone, and its tags with it.
        var tags = isAnswered ? ReadTags(result![1]) : [];
        var isRemoved = await index.RemoveAsync(slug, [.. tags.Union(link?.Definition.Tags ?? [])], isGone: true);
        if (IdempotencyKeys.KeyHashOf(isAnswered ? (string?)result![2] : link?.Request) is { } keyHash)
            await idempotencyKeys.UnbindAsync(keyHash, slug, Uninterrupted);
        return isAnswered && isRemoved ? new((int)result![0] > 0) : default;
    }

    /// <summary>Links in the order of their slugs; see <see cref="LinkIndex.FindAsync"/>.</summary>
    public async ValueTask<RedisReply<FoundLinks>> ListAsync(string tag, string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        var found = await index.FindAsync(tag, prefix, after, limit, cancellationToken);
        if (!found.TryGet(out var slugs))
            return default;
        var links = await redis.TryAsync(
            database => Task.WhenAll(slugs.Select(slug => database.HashGetAsync(keys.ShortLink(slug), ShortLink.Fields))), cancellationToken);
        if (!links.TryGet(out var values))
            return default;
        ShortLink[] existing = [.. slugs.Select((slug, i) => ShortLink.Read(slug, values[i])).OfType<ShortLink>()
            .Where(link => tag.Length == 0 || link.Definition.Tags.Contains(tag))];
        return new(new FoundLinks(existing, slugs.Length == limit ? slugs[^1] : null));
    }

    private static LinkWrite ReadWrite(string slug, RedisResult result) =>
        new((int)result[0] == 1, ShortLink.Read(slug, (RedisValue[])result[1]!));

    private static IReadOnlyList<string> LostTags(RedisResult result, LinkDefinition definition) =>
        [.. ReadTags(result[2]).Except(definition.Tags)];

    private static string[] ReadTags(RedisResult tags) => (string?)tags is { Length: > 0 } text ? text.Split(' ') : [];

    private Task<RedisResult> CreateAsync(IDatabaseAsync database, NewLink link)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        return CreateScript.EvaluateAsync(database, AllKeysOf(link.Slug), [id, link.Request, link.Visits, .. link.Definition.ToRedis()]);
    }

    private Task<RedisResult> UpdateAsync(IDatabaseAsync database, string slug, LinkDefinition definition) =>
        UpdateScript.EvaluateAsync(database, [keys.ShortLink(slug)], definition.ToRedis());

    private RedisKey[] AllKeysOf(string slug) =>
        [keys.ShortLink(slug), keys.ShortLinkVisits(slug), keys.ShortLinkBatches(slug), keys.ShortLinkStatistics(slug), keys.ShortLinkGuesses(slug)];

    // The link that was there has not the tags that this one was to have.
    private async ValueTask UnindexAsync(NewLink link, LinkWrite write)
    {
        if (!write.IsWritten)
            await index.RemoveAsync(link.Slug, [.. link.Definition.Tags.Except(write.Link?.Definition.Tags ?? [])], isGone: false);
    }

    private ValueTask<ChangeReceipt?> SpreadAsync(Selector selector) => log.AppendOrQueueAsync([selector], AllLinks, Uninterrupted);
}
