using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.RateLimiting.Ranking;

/// <summary>
/// Which clients of which limits are rejected most, of all nodes, by the hour. Rejections are added up here and sent now
/// and then, because most of them cost Redis nothing. A ranking, not a count: of a flood of clients only 10,000 are kept.
/// </summary>
internal sealed class LimitedClients(RedisConnection redis, RedisKeys keys, RedisClock clock)
{
    public const int MaxClients = 10_000;

    private static readonly TimeSpan Keep = TimeSpan.FromHours(2);
    private static readonly RedisScript RankScript = RedisScript.Load("RateLimiting/Ranking/rank.lua");

    private ConcurrentDictionary<LimitedClient, long> _waiting = new();
    private int _count;

    public void Add(RateLimitPolicy policy, in LimitCharge charge)
    {
        var client = new LimitedClient(policy.Name, charge.Limit.Name, charge.Identity);
        var waiting = _waiting;
        if (waiting.TryGetValue(client, out var known) && waiting.TryUpdate(client, known + 1, known))
            return;
        if (Volatile.Read(ref _count) >= MaxClients)
            return;
        waiting.AddOrUpdate(client, static _ => 1, static (_, count) => count + 1);
        Interlocked.Increment(ref _count);
    }

    /// <summary>Sends what was added up. Not tried again.</summary>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        if (_waiting.IsEmpty)
            return;
        var sent = Interlocked.Exchange(ref _waiting, new());
        Volatile.Write(ref _count, 0);
        RedisValue[] arguments = [MaxClients, (long)Keep.TotalSeconds, .. sent.SelectMany(client => new RedisValue[] { client.Key.ToString(), client.Value })];
        await redis.TryAsync(database => RankScript.EvaluateAsync(database, [KeyOf(0)], arguments), cancellationToken);
    }

    /// <summary>The clients that were rejected most in the hour that runs, or in the last one.</summary>
    public async ValueTask<IReadOnlyList<(LimitedClient Client, long Rejections)>?> ReadAsync(bool isLastHour, int limit, CancellationToken cancellationToken)
    {
        var key = KeyOf(isLastHour ? -1 : 0);
        var reply = await redis.TryAsync(
            database => database.SortedSetRangeByRankWithScoresAsync(key, 0, limit - 1, Order.Descending), cancellationToken);
        return reply.TryGet(out var entries)
            ? [.. entries.Select(entry => (LimitedClient.Parse(entry.Element.ToString()), (long)entry.Score))]
            : null;
    }

    private RedisKey KeyOf(int hours) => keys.LimitedClients(clock.Now.UtcDateTime.AddHours(hours).ToString("yyyyMMddHH", CultureInfo.InvariantCulture));
}

/// <summary>A client of a limit. Names hold no colon.</summary>
/// <param name="Identity">The hash of what the client is counted by.</param>
internal readonly record struct LimitedClient(string Policy, string Limit, string Identity)
{
    public static LimitedClient Parse(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 3 ? new(parts[0], parts[1], parts[2]) : new("", "", text);
    }

    public override string ToString() => $"{Policy}:{Limit}:{Identity}";
}
