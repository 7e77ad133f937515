using System.Collections.Concurrent;
using Gateway.ChangeLog;
using Gateway.Redis;

namespace Gateway.Tokens.Revocations;

/// <summary>
/// The revocations this node knows: state, not events, so that a token validated after its revocation is refused just
/// as one validated before. Read on every request from any thread.
/// </summary>
internal sealed class RevocationList(SharedChangeLog log, RedisClock clock, OpenRequests open)
{
    private readonly ConcurrentDictionary<string, Revocation> _byId = new(StringComparer.Ordinal);
    private long _version;
    private volatile bool _isComplete;

    /// <summary>Whether it holds every revocation of more than a lease ago.</summary>
    public bool IsCurrent => _isComplete && log.HasLease;

    /// <summary>Whether all of Redis' revocations were read since the change log last began anew.</summary>
    public bool IsComplete
    {
        get => _isComplete;
        set => _isComplete = value;
    }

    /// <summary>Whether a token is revoked. Usually one comparison: nothing was added since it was asked last.</summary>
    public bool Covers(VerifiedToken token)
    {
        var version = Volatile.Read(ref _version);
        if (token.UnrevokedAt == version)
            return false;
        foreach (var id in token.RevocationIds)
        {
            if (_byId.TryGetValue(id, out var revocation) && token.IssuedAt < revocation.IssuedBefore)
                return true;
        }

        token.UnrevokedAt = version;
        return false;
    }

    public void Add(Revocation revocation)
    {
        if (revocation.Ends <= clock.Now.ToUnixTimeSeconds())
            return;
        _byId.AddOrUpdate(revocation.Id, static (_, added) => added, static (_, known, added) => known.With(added), revocation);
        Interlocked.Increment(ref _version);
        open.Recheck();
    }

    /// <summary>Forgets what has ended.</summary>
    public void Prune()
    {
        var now = clock.Now.ToUnixTimeSeconds();
        foreach (var known in _byId)
        {
            if (known.Value.Ends <= now)
                _byId.TryRemove(known);
        }
    }

    /// <summary>The revocations of which <paramref name="others"/> has less.</summary>
    public List<Revocation> Beyond(IReadOnlyDictionary<string, Revocation> others) =>
        [.. _byId.Values.Where(known => !others.TryGetValue(known.Id, out var other) || other.With(known) != other)];
}
