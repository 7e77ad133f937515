using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ShortLinks.Visits;

/// <summary>Over which time links are ranked.</summary>
internal enum RankingPeriod
{
    /// <summary>The hour that runs, in UTC.</summary>
    Hour,

    /// <summary>The day that runs, in UTC.</summary>
    Day,

    /// <summary>Since the links were made.</summary>
    All,
}

/// <summary>Visits that were counted now.</summary>
/// <param name="Link">The link they were made to.</param>
/// <param name="Visits">How many.</param>
/// <param name="Total">The link's counter with them.</param>
internal readonly record struct CountedVisits(VisitedLink Link, long Visits, long Total);

/// <summary>
/// Which links are followed most, of all nodes. A ranking, not a count: visits are ranked in the hour in which they
/// reach Redis, a call without an answer is not sent again, and only the first 10,000 links are kept.
/// </summary>
internal sealed class LinkRanking(RedisConnection redis, RedisKeys keys, RedisClock clock)
{
    public const int MaxLinks = 10_000;

    private const int MaxAtOnce = 500;

    private static readonly RedisScript RankScript = RedisScript.Load("ShortLinks/Visits/rank.lua");
    private static readonly TimeSpan KeepHour = TimeSpan.FromHours(2);
    private static readonly TimeSpan KeepDay = TimeSpan.FromDays(2);

    private readonly ConcurrentDictionary<VisitedLink, CountedVisits> _noted = new();

    /// <summary>Remembers a visit that is counted already, to be ranked with the next ones: of a link with a maximum.</summary>
    public void Note(VisitedLink link, long total)
    {
        if (_noted.Count < MaxLinks || _noted.ContainsKey(link))
        {
            _noted.AddOrUpdate(
                link, static (link, total) => new CountedVisits(link, 1, total),
                static (_, noted, total) => noted with { Visits = noted.Visits + 1, Total = Math.Max(noted.Total, total) }, total);
        }
    }

    /// <summary>Ranks what <see cref="Note"/> remembers.</summary>
    public async ValueTask AddNotedAsync(CancellationToken cancellationToken)
    {
        var taken = new List<CountedVisits>();
        foreach (var link in _noted.Keys)
        {
            if (_noted.TryRemove(link, out var noted))
                taken.Add(noted);
        }

        foreach (var chunk in taken.Chunk(MaxAtOnce))
            await AddAsync(chunk, cancellationToken);
    }

    public async ValueTask AddAsync(IReadOnlyList<CountedVisits> counted, CancellationToken cancellationToken)
    {
        if (counted.Count == 0)
            return;
        var arguments = new List<RedisValue> { MaxLinks, (long)KeepHour.TotalSeconds, (long)KeepDay.TotalSeconds };
        foreach (var (link, visits, total) in counted)
            arguments.AddRange([link.Slug, visits, total]);
        var now = clock.Now;
        RedisKey[] scriptKeys = [KeyOf(RankingPeriod.Hour, now), KeyOf(RankingPeriod.Day, now), KeyOf(RankingPeriod.All, now)];
        await redis.TryAsync(database => RankScript.EvaluateAsync(database, scriptKeys, [.. arguments]), cancellationToken);
        await RemoveGoneAsync(counted, cancellationToken);
    }

    public async ValueTask<RedisReply<SortedSetEntry[]>> ReadAsync(RankingPeriod period, int limit, CancellationToken cancellationToken)
    {
        var key = KeyOf(period, clock.Now);
        return await redis.TryAsync(
            database => database.SortedSetRangeByRankWithScoresAsync(key, 0, limit - 1, Order.Descending), cancellationToken);
    }

    public ValueTask RemoveAsync(string slug, CancellationToken cancellationToken) => RemoveAsync([slug], cancellationToken);

    // A link may be removed while its visits are on their way here: then it is this node that ranked it last.
    private async ValueTask RemoveGoneAsync(IReadOnlyList<CountedVisits> counted, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            database => Task.WhenAll(counted.Select(ranked => database.HashGetAsync(keys.ShortLink(ranked.Link.Slug), "id"))), cancellationToken);
        if (!reply.TryGet(out var ids))
            return;
        RedisValue[] gone = [.. counted.Where((ranked, i) => ids[i] != ranked.Link.Id).Select(ranked => (RedisValue)ranked.Link.Slug)];
        if (gone.Length > 0)
            await RemoveAsync(gone, cancellationToken);
    }

    private async ValueTask RemoveAsync(RedisValue[] slugs, CancellationToken cancellationToken)
    {
        var now = clock.Now;
        foreach (var period in Enum.GetValues<RankingPeriod>())
            await redis.TryAsync(database => database.SortedSetRemoveAsync(KeyOf(period, now), slugs), cancellationToken);
    }

    private RedisKey KeyOf(RankingPeriod period, DateTimeOffset now) => keys.ShortLinkRanking(period switch
    {
        RankingPeriod.Hour => now.UtcDateTime.ToString("yyyyMMddHH", CultureInfo.InvariantCulture),
        RankingPeriod.Day => now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture),
        _ => "all",
    });
}
