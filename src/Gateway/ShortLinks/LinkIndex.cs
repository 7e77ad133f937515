using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ShortLinks;

/// <summary>A slug and the tags under which it is found.</summary>
internal readonly record struct IndexedSlug(string Slug, IReadOnlyList<string> Tags);

/// <summary>
/// Slugs in the order of their bytes: all, and those of each tag. An index is written before a link and shortened after
/// one is gone: it may name links that do not exist or lost the tag, and lacks none that do.
/// </summary>
internal sealed class LinkIndex(RedisConnection redis, RedisKeys keys)
{
    // A write has several steps. It is finished also if whoever asked for it is gone; each step has its deadline.
    private static readonly CancellationToken Uninterrupted = CancellationToken.None;

    /// <returns>Whether all of it is written.</returns>
    public async ValueTask<bool> AddAsync(IReadOnlyList<IndexedSlug> added)
    {
        var tagged = added
            .SelectMany(slug => slug.Tags.Select(tag => (Tag: tag, slug.Slug)))
            .GroupBy(pair => pair.Tag, pair => pair.Slug, StringComparer.Ordinal)
            .Select(group => (Key: keys.ShortLinkTag(group.Key), Slugs: group.ToArray()))
            .Prepend((Key: keys.ShortLinkIndex, Slugs: [.. added.Select(slug => slug.Slug)]))
            .ToList();
        var reply = await redis.TryAsync(
            database => Task.WhenAll(tagged.Select(set => database.SortedSetAddAsync(set.Key, Array.ConvertAll(set.Slugs, slug => new SortedSetEntry(slug, 0))))),
            Uninterrupted);
        return reply.IsAnswered;
    }

    /// <summary>Takes a slug out of the lists of tags that its link lost; of all lists, where the link is gone.</summary>
    public async ValueTask<bool> RemoveAsync(string slug, IReadOnlyList<string> lostTags, bool isGone)
    {
        if (lostTags.Count == 0 && !isGone)
            return true;
        RedisKey[] sets = [.. lostTags.Select(keys.ShortLinkTag), .. isGone ? new[] { keys.ShortLinkIndex } : []];
        var removed = await redis.TryAsync(database => Task.WhenAll(sets.Select(set => database.SortedSetRemoveAsync(set, slug))), Uninterrupted);
        // Somebody may have made the link anew, or given it the tag again, between the two.
        if (!(await ReadTagsAsync(slug)).TryGet(out var found))
            return false;
        string[] back = [.. isGone ? found.OfLink ?? [] : found.OfLink?.Intersect(lostTags) ?? []];
        if (found.OfLink is null || (back.Length == 0 && !isGone))
            return removed.IsAnswered;
        // And it may have gone again before the index was told that it is back.
        return await AddAsync([new(slug, back)])
            && (await ReadTagsAsync(slug)).TryGet(out var now)
            && await RemoveAsync(slug, [.. back.Except(now.OfLink ?? [])], isGone: now.OfLink is null)
            && removed.IsAnswered;
    }

    /// <summary>Slugs in order.</summary>
    /// <param name="tag">Only those of this tag; empty: all.</param>
    /// <param name="prefix">What they begin with.</param>
    /// <param name="after">The slug after which to begin; empty for the first page.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<RedisReply<string[]>> FindAsync(string tag, string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        // Slugs are ASCII: 0x7F follows every one that begins with the prefix.
        var isFirst = after.Length == 0 || string.CompareOrdinal(after, prefix) < 0;
        RedisValue from = !isFirst ? after : prefix.Length > 0 ? prefix : RedisValue.Null;
        var reply = await redis.TryAsync(
            database => database.SortedSetRangeByValueAsync(
                tag.Length == 0 ? keys.ShortLinkIndex : keys.ShortLinkTag(tag), from, prefix + "\x7f",
                isFirst ? Exclude.None : Exclude.Start, Order.Ascending, 0, limit),
            cancellationToken);
        return reply.TryGet(out var found) ? new(Array.ConvertAll(found, value => (string)value!)) : default;
    }

    private async ValueTask<RedisReply<LinkTags>> ReadTagsAsync(string slug)
    {
        var reply = await redis.TryAsync(database => database.HashGetAsync(keys.ShortLink(slug), ShortLink.Fields), Uninterrupted);
        return reply.TryGet(out var values) ? new(new LinkTags(ShortLink.Read(slug, values)?.Definition.Tags)) : default;
    }

    // Null where there is no such link.
    private readonly record struct LinkTags(IReadOnlyList<string>? OfLink);
}
