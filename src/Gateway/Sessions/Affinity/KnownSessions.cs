using System.Collections.Concurrent;
using Gateway.ChangeLog;

namespace Gateway.Sessions.Affinity;

/// <summary>What this node knows of a session.</summary>
/// <param name="affinity">Where it belongs.</param>
/// <param name="isRecorded">Whether Redis said so; if not, it is this node's own choice while Redis is away.</param>
/// <param name="stamp">How much of the change log the node had applied before it asked.</param>
/// <param name="version">The change log's version at which this was last found current.</param>
/// <param name="refreshAt">When Redis must hear of the session again, as a timestamp.</param>
internal sealed class KnownSession(SessionAffinity affinity, bool isRecorded, ChangeStamp stamp, long version, long refreshAt)
{
    private long _version = version;
    private long _refreshAt = refreshAt;

    public SessionAffinity Affinity { get; } = affinity;

    public bool IsRecorded { get; } = isRecorded;

    /// <summary>Whether no change since it was read concerns the session.</summary>
    public bool IsCurrent(SharedChangeLog log, Selector selector)
    {
        var version = log.Version;
        if (Volatile.Read(ref _version) == version)
            return true;
        if (log.Check(stamp, [selector]) != ChangeVerdict.Current)
            return false;
        Volatile.Write(ref _version, version);
        return true;
    }

    /// <summary>Whether the caller is the one who is to extend the session's time in Redis: one per <paramref name="interval"/>.</summary>
    public bool TakesRefresh(long now, long interval)
    {
        var due = Volatile.Read(ref _refreshAt);
        return now >= due && Interlocked.CompareExchange(ref _refreshAt, now + interval, due) == due;
    }
}

/// <summary>
/// The sessions this node has seen lately, in two halves: when the younger is full the older is forgotten, so that
/// memory is bounded and busy sessions stay. A forgotten session costs one call to Redis.
/// </summary>
internal sealed class KnownSessions
{
    /// <summary>The most sessions in each half.</summary>
    public const int MaxPerHalf = 50_000;

    private readonly Lock _turn = new();
    private volatile Halves _halves = new(new(StringComparer.Ordinal), new(StringComparer.Ordinal));
    private int _count;

    public KnownSession? Find(string id)
    {
        var halves = _halves;
        if (halves.Younger.TryGetValue(id, out var session))
            return session;
        if (!halves.Older.TryGetValue(id, out session))
            return null;
        return Set(id, session, static (_, known) => known);
    }

    /// <summary>Remembers a session, unless a newer answer is known by now.</summary>
    /// <returns>What is known now.</returns>
    public KnownSession SetNewer(string id, KnownSession session) => Set(
        id, session, (_, known) => known.Affinity.Moves > session.Affinity.Moves ? known : session);

    /// <summary>Remembers a session, unless another request has moved it further by now.</summary>
    /// <returns>What is known now.</returns>
    public KnownSession SetFirst(string id, KnownSession session) => Set(
        id, session, (_, known) => known.Affinity.Moves >= session.Affinity.Moves ? known : session);

    private KnownSession Set(string id, KnownSession session, Func<string, KnownSession, KnownSession> resolve)
    {
        var halves = _halves;
        var added = false;
        var result = halves.Younger.AddOrUpdate(
            id,
            _ =>
            {
                added = true;
                return halves.Older.TryGetValue(id, out var known) && !ReferenceEquals(known, session) ? resolve(id, known) : session;
            },
            resolve);
        if (added && Interlocked.Increment(ref _count) > MaxPerHalf)
            Turn(halves);
        return result;
    }

    private void Turn(Halves full)
    {
        lock (_turn)
        {
            if (!ReferenceEquals(_halves, full))
                return;
            _halves = new Halves(new(StringComparer.Ordinal), full.Younger);
            Volatile.Write(ref _count, 0);
        }
    }

    private sealed record Halves(ConcurrentDictionary<string, KnownSession> Younger, ConcurrentDictionary<string, KnownSession> Older);
}
