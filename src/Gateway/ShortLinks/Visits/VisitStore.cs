using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ShortLinks.Visits;

/// <summary>What a visit of a link with a maximum came to.</summary>
internal enum VisitDecision
{
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
internal sealed class VisitStore(RedisConnection redis, RedisKeys keys, NodeIdentity node)
{
    private static readonly RedisScript VisitScript = RedisScript.Load("ShortLinks/Visits/statistics.lua", "ShortLinks/Visits/visit.lua");
    private static readonly RedisScript CountScript = RedisScript.Load("ShortLinks/Visits/statistics.lua", "ShortLinks/Visits/count.lua");

    /// <summary>Decides a visit of a link with a maximum. Never tried again: a call without an answer may have consumed.</summary>
    public async ValueTask<RedisReply<DecidedVisit>> TryVisitAsync(string slug, bool consume, string referrer, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ShortLink(slug), keys.ShortLinkVisits(slug), keys.ShortLinkStatistics(slug)];
        RedisValue[] arguments = [consume ? 1 : 0, referrer];
        var reply = await redis.TryAsync(database => VisitScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        return reply.TryGet(out var result) ? new(new DecidedVisit((VisitDecision)(int)result[0], (long)result[1])) : default;
    }

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
}
