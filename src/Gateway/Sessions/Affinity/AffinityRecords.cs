using System.Globalization;
using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Sessions.Affinity;

/// <summary>
/// Where sessions belong, over all nodes: in memory while nothing changed, else in Redis; without Redis as this node
/// or the client's cookie remembers.
/// </summary>
internal sealed class AffinityRecords(
    RedisConnection redis, RedisKeys keys, SharedChangeLog log, KnownSessions known, IOptionsMonitor<SessionsOptions> options,
    SessionsMetrics metrics, TimeProvider time)
{
    // Moves are spread by part of the id: one selector per session would crowd other features' changes out of the log.
    private const int BucketDigits = 3;
    private static readonly RedisScript TouchScript = RedisScript.Load("Sessions/Affinity/touch.lua");
    private static readonly RedisScript MoveScript = RedisScript.Load("Sessions/Affinity/move.lua");
    private static readonly Selector[] Buckets =
        [.. Enumerable.Range(0, 1 << (4 * BucketDigits)).Select(bucket => Selector.Of("affinity", bucket.ToString($"x{BucketDigits}", CultureInfo.InvariantCulture)))];

    private TimeSpan Expiry => options.CurrentValue.AffinityExpiry;

    /// <summary>Finds where a session belongs, and records it when Redis does not know it.</summary>
    /// <returns><see cref="SessionAffinity.None"/> when nobody knows.</returns>
    public async ValueTask<SessionAffinity> FindAsync(PresentedSession session, CancellationToken cancellationToken)
    {
        var memory = known.Find(session.Id);
        // Of as many moves each, Redis' word counts more than the cookie, and the cookie more than a choice that this node
        // made without Redis: another node may have made another, and the client goes by the one that it got last.
        var isNewest = memory is not null && (memory.Affinity.Moves > session.Affinity.Moves || (memory.IsRecorded && memory.Affinity.Moves == session.Affinity.Moves));
        if (isNewest && memory!.IsRecorded && memory.IsCurrent(log, SelectorOf(session.Id)) && !memory.TakesRefresh(time.GetTimestamp(), RefreshInterval))
        {
            metrics.FoundInMemory();
            return memory.Affinity;
        }

        var remembered = isNewest ? memory!.Affinity : session.Affinity;
        // Before the call, the version first: a change in between is then noticed at the next look.
        var (version, stamp) = (log.Version, log.Stamp);
        var reply = await redis.TryAsync(
            static (database, state) => TouchScript.EvaluateAsync(database, state.Keys, state.Arguments),
            (Keys: new[] { keys.Affinity(session.Id) }, Arguments: new RedisValue[] { remembered.Moves, remembered.Destination, (long)Expiry.TotalMilliseconds }),
            cancellationToken);
        if (!reply.TryGet(out var result))
        {
            metrics.Remembered();
            return remembered;
        }

        metrics.FoundInRedis();
        if ((string?)result is not { } held)
            return SessionAffinity.None;
        var found = SessionAffinity.Parse(held);
        return known.SetNewer(session.Id, Remember(found, isRecorded: true, stamp, version)).Affinity;
    }

    /// <summary>Gives a session another destination; of several nodes and requests that try, the first decides.</summary>
    /// <param name="id">The session.</param>
    /// <param name="from">Where it belonged, as <see cref="FindAsync"/> found.</param>
    /// <param name="destination">Where it is to go.</param>
    /// <param name="cancellationToken">Ends the wait for Redis.</param>
    /// <returns>Where it belongs now.</returns>
    public async ValueTask<SessionAffinity> MoveAsync(string id, SessionAffinity from, string destination, CancellationToken cancellationToken)
    {
        var moved = new SessionAffinity(destination, from.Moves + 1);
        var (version, stamp) = (log.Version, log.Stamp);
        var reply = await redis.TryAsync(
            static (database, state) => MoveScript.EvaluateAsync(database, state.Keys, state.Arguments),
            (Keys: new[] { keys.Affinity(id) }, Arguments: new RedisValue[] { from.Moves, from.Destination, destination, (long)Expiry.TotalMilliseconds }),
            cancellationToken);
        if (!reply.TryGet(out var result))
            return known.SetFirst(id, Remember(moved, isRecorded: false, stamp, version)).Affinity;

        var held = SessionAffinity.Parse((string)result!);
        known.SetNewer(id, Remember(held, isRecorded: true, stamp, version));
        // Should this hint be lost, other nodes learn of the move by the client's new cookie, or at their next refresh.
        if (held == moved && !from.IsNone)
            await log.TryAppendAsync([SelectorOf(id)], cancellationToken);
        return held;
    }

    private long RefreshInterval => (long)(Expiry.TotalSeconds / 4 * time.TimestampFrequency);

    private static Selector SelectorOf(string id) =>
        Buckets[int.Parse(id.AsSpan(0, BucketDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)];

    private KnownSession Remember(SessionAffinity affinity, bool isRecorded, ChangeStamp stamp, long version) =>
        new(affinity, isRecorded, stamp, version, time.GetTimestamp() + RefreshInterval);
}
