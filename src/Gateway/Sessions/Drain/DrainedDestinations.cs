using System.Collections.Frozen;
using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.Sessions.Drain;

/// <summary>
/// The destinations that get no new sessions: in Redis, and as this node's copy, which requests read. Without Redis the
/// copy holds; a Redis that lost them gets them back from it.
/// </summary>
internal sealed class DrainedDestinations(RedisConnection redis, RedisKeys keys, SharedChangeLog log, ILogger<DrainedDestinations> logger)
{
    /// <summary>The kind of change that tells nodes to read the drains anew.</summary>
    public const string ChangeKind = "drain";

    private static readonly RedisScript Script = RedisScript.Load("Sessions/Drain/drains.lua");
    private static readonly Selector Changed = Selector.Of(ChangeKind, "");

    private readonly Lock _taking = new();
    private volatile Copy _copy = new(0, FrozenSet<DrainedDestination>.Empty);

    public bool IsEmpty => _copy.Drained.Count == 0;

    public IReadOnlyCollection<DrainedDestination> All => _copy.Drained;

    public bool Contains(string cluster, string destination) => _copy.Drained.Contains(new DrainedDestination(cluster, destination));

    /// <summary>Reads the drains anew.</summary>
    /// <returns>Whether Redis answered.</returns>
    public ValueTask<bool> SynchronizeAsync(CancellationToken cancellationToken) => TryRunAsync("", null, cancellationToken);

    /// <summary>Begins a drain; it is in force on this node when this returns, on others within moments.</summary>
    /// <returns>Whether Redis answered.</returns>
    public ValueTask<bool> TryAddAsync(DrainedDestination destination, CancellationToken cancellationToken) =>
        TryChangeAsync("add", destination, cancellationToken);

    /// <summary>Ends a drain.</summary>
    /// <returns>Whether Redis answered.</returns>
    public ValueTask<bool> TryRemoveAsync(DrainedDestination destination, CancellationToken cancellationToken) =>
        TryChangeAsync("remove", destination, cancellationToken);

    private async ValueTask<bool> TryChangeAsync(string change, DrainedDestination destination, CancellationToken cancellationToken) =>
        await TryRunAsync(change, destination, cancellationToken) && await log.TryAppendAsync([Changed], cancellationToken) is not null;

    private async ValueTask<bool> TryRunAsync(string change, DrainedDestination? destination, CancellationToken cancellationToken)
    {
        var copy = _copy;
        RedisValue[] arguments = [copy.Version, change, destination?.ToString() ?? "", .. copy.Drained.Select(one => (RedisValue)one.ToString())];
        var reply = await redis.TryAsync(
            database => Script.EvaluateAsync(database, [keys.DrainedDestinations], arguments), cancellationToken);
        if (!reply.TryGet(out var result))
            return false;
        Take((RedisValue[])result!);
        return true;
    }

    private void Take(RedisValue[] answer)
    {
        var version = long.Parse(answer[0].ToString(), System.Globalization.CultureInfo.InvariantCulture);
        var drained = answer[1..].Select(member => DrainedDestination.Parse(member.ToString())).OfType<DrainedDestination>().ToFrozenSet();
        lock (_taking)
        {
            // Of two answers that cross, the newer holds.
            if (version <= _copy.Version)
                return;
            _copy = new Copy(version, drained);
        }

        SessionsLog.DrainsChanged(logger, drained.Count == 0 ? "none" : string.Join(", ", drained.Select(one => one.ToString()).Order(StringComparer.Ordinal)));
    }

    private sealed record Copy(long Version, FrozenSet<DrainedDestination> Drained);
}
