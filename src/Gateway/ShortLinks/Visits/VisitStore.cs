using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ShortLinks.Visits;

/// <summary>What a visit of a link with a maximum came to.</summary>
internal enum VisitDecision
{
    /// <summary>Another link has the slug by now: nothing was decided, nothing used up.</summary>
    Replaced = -4,

    Expired = -3,
    NotYet = -2,
    Unknown = -1,
    UsedUp = 0,
    Admitted = 1,
}

/// <summary>What Redis said of a visit.</summary>
/// <param name="Decision">Whether it is admitted.</param>
/// <param name="Total">The link's visits with it.</param>
internal readonly record struct DecidedVisit(VisitDecision Decision, long Total);

/// <summary>The visits of all nodes, in Redis.</summary>
internal sealed class VisitStore(RedisConnection redis, RedisKeys keys, NodeIdentity node, KnownTotals totals)
{
    private static readonly RedisScript VisitScript = RedisScript.Load("ShortLinks/Visits/statistics.lua", "ShortLinks/Visits/visit.lua");
    private static readonly RedisScript CountScript = RedisScript.Load("ShortLinks/Visits/statistics.lua", "ShortLinks/Visits/count.lua");

    /// <summary>
    /// Decides a visit of a link with a maximum. Never tried again: a call without an answer may have consumed. A visit that
    /// would be used up gets no answer while Redis may have forgotten some; see <see cref="KnownTotals.IsSettled"/>.
    /// </summary>
    /// <param name="link">The link as this node knows it.</param>
    /// <param name="consume">True: an admitted visit is used up. False: it is only asked whether one is left, as for <c>HEAD</c>, and none is.</param>
    /// <param name="referrer">Where the visitor comes from; see <see cref="Referrer"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<RedisReply<DecidedVisit>> TryVisitAsync(VisitedLink link, bool consume, string referrer, CancellationToken cancellationToken)
    {
        if (consume && !totals.IsSettled)
            return default;
        var reply = await RunVisitAsync(new KnownTotal(link, totals.Of(link)), consume, referrer, cancellationToken);
        if (!reply.TryGet(out var decided))
            return default;
        if (decided.Decision is VisitDecision.Admitted or VisitDecision.UsedUp)
            totals.Note(link, decided.Total);
        // Redis may be another one since the call was made: what it admitted may be what others were admitted before.
        redis.NoticePrimaries();
        return consume && !totals.IsSettled ? default : new(decided);
    }

    /// <summary>Sees to it that Redis knows the visits of a link that this node knows.</summary>
    /// <returns>Whether it does.</returns>
    public async ValueTask<bool> TryRaiseAsync(KnownTotal known, CancellationToken cancellationToken) =>
        (await RunVisitAsync(known, consume: false, Referrer.None, cancellationToken)).IsAnswered;

    /// <summary>Adds a batch of visits, once however often it is sent.</summary>
    /// <returns>The link's visits with this batch; not above 0 when it was added before, or the link is gone.</returns>
    public async ValueTask<RedisReply<long>> TryCountAsync(VisitedLink link, VisitBatch batch, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys =
            [keys.ShortLink(link.Slug), keys.ShortLinkVisits(link.Slug), keys.ShortLinkBatches(link.Slug), keys.ShortLinkStatistics(link.Slug)];
        RedisValue[] arguments =
        [
            link.Id, node.Id, batch.Number, batch.Visits,
            .. batch.Details.SelectMany(detail => new RedisValue[] { detail.Key.Day, detail.Key.Referrer, detail.Value }),
        ];
        var reply = await redis.TryAsync(database => CountScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        return reply.TryGet(out var result) ? new((long)result) : default;
    }

    /// <summary>The visits of links, in their order.</summary>
    public async ValueTask<RedisReply<long[]>> ReadAsync(IReadOnlyList<string> slugs, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            database => Task.WhenAll(slugs.Select(slug => database.StringGetAsync(keys.ShortLinkVisits(slug)))), cancellationToken);
        return reply.TryGet(out var values) ? new(Array.ConvertAll(values, value => (long)value)) : default;
    }

    public async ValueTask<RedisReply<LinkStatistics>> ReadStatisticsAsync(string slug, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(database => database.HashGetAllAsync(keys.ShortLinkStatistics(slug)), cancellationToken);
        return reply.TryGet(out var fields) ? new(LinkStatistics.Read(fields)) : default;
    }

    private async ValueTask<RedisReply<DecidedVisit>> RunVisitAsync(KnownTotal known, bool consume, string referrer, CancellationToken cancellationToken)
    {
        var link = known.Link;
        RedisKey[] scriptKeys = [keys.ShortLink(link.Slug), keys.ShortLinkVisits(link.Slug), keys.ShortLinkStatistics(link.Slug)];
        RedisValue[] arguments = [consume ? 1 : 0, referrer, link.Id, known.Visits];
        var reply = await redis.TryAsync(database => VisitScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        return reply.TryGet(out var result)
            ? new(new DecidedVisit((VisitDecision)(int)result[0], (long)result[1]))
            : default;
    }
}
