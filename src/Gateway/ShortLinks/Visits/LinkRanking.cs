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
/// <param name="Total">The link's counter with them.</param>
internal readonly record struct CountedVisits(string Slug, long Visits, long Total);

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

    private readonly ConcurrentDictionary<string, CountedVisits> _noted = new(StringComparer.Ordinal);

    /// <summary>Remembers a visit that is counted already, to be ranked with the next ones: of a link with a maximum.</summary>
    public void Note(string slug, long total)
    {
        if (_noted.Count < MaxLinks || _noted.ContainsKey(slug))
        {
            _noted.AddOrUpdate(
                slug, static (slug, total) => new CountedVisits(slug, 1, total),
                static (_, noted, total) => noted with { Visits = noted.Visits + 1, Total = Math.Max(noted.Total, total) }, total);
        }
    }

    /// <summary>Ranks what <see cref="Note"/> remembers.</summary>
    public async ValueTask AddNotedAsync(CancellationToken cancellationToken)
    {
        var taken = new List<CountedVisits>();
        foreach (var slug in _noted.Keys)
        {
            if (_noted.TryRemove(slug, out var noted))
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
        foreach (var (slug, visits, total) in counted)
            arguments.AddRange([slug, visits, total]);
        var now = clock.Now;
        RedisKey[] scriptKeys = [KeyOf(RankingPeriod.Hour, now), KeyOf(RankingPeriod.Day, now), KeyOf(RankingPeriod.All, now)];
        await redis.TryAsync(database => RankScript.EvaluateAsync(database, scriptKeys, [.. arguments]), cancellationToken);
    }

    public async ValueTask<RedisReply<SortedSetEntry[]>> ReadAsync(RankingPeriod period, int limit, CancellationToken cancellationToken)
    {
        var key = KeyOf(period, clock.Now);
        return await redis.TryAsync(
            database => database.SortedSetRangeByRankWithScoresAsync(key, 0, limit - 1, Order.Descending), cancellationToken);
    }

    public async ValueTask RemoveAsync(string slug, CancellationToken cancellationToken)
    {
        var now = clock.Now;
        foreach (var period in Enum.GetValues<RankingPeriod>())
            await redis.TryAsync(database => database.SortedSetRemoveAsync(KeyOf(period, now), slug), cancellationToken);
    }

    private RedisKey KeyOf(RankingPeriod period, DateTimeOffset now) => keys.ShortLinkRanking(period switch
    {
        RankingPeriod.Hour => now.UtcDateTime.ToString("yyyyMMddHH", CultureInfo.InvariantCulture),
        RankingPeriod.Day => now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture),
        _ => "all",
    });
}
