using Gateway.ChangeLog;
using Gateway.RateLimiting.Leasing;
using Gateway.RateLimiting.Lists;
using Gateway.RateLimiting.Local;
using Gateway.RateLimiting.Ranking;
using Gateway.Redis;

namespace Gateway.RateLimiting;

/// <summary>
/// Keeps what this node knows of the others in step: the allow and deny lists (before the first request, when the change
/// log says so, when Redis returns), resets, and among how many nodes a limit is divided; and sends whom it rejected. No
/// request waits for it.
/// </summary>
internal sealed class RateLimitSynchronizer(
    ClientLists lists, BlockedClients blocked, LeasedPermits leased, LimitedClients limited, NodeShare share, SharedChangeLog log, RedisConnection redis,
    TimeProvider time, ILogger<RateLimitSynchronizer> logger) : BackgroundService
{
    /// <summary>The kind of change that says that counters were reset.</summary>
    public const string ResetKind = "limit-reset";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly SynchronizationLoop _loop = new(time, exception => RateLimitingLog.SynchronizationFailed(logger, exception));
    private IDisposable? _hints;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        log.Applied += OnApplied;
        _hints = _loop.HintOn(log, redis, ClientLists.ChangeKind);
        await _loop.TryAsync(SynchronizeAsync, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        log.Applied -= OnApplied;
        _hints?.Dispose();
        return base.StopAsync(cancellationToken);
    }

    /// <summary>Forgets what this node knows of counters that were reset.</summary>
    public void ForgetCounters()
    {
        // The old counters first: whoever notes a refusal after the other must not have found it in them.
        leased.Clear();
        blocked.Clear();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(SynchronizeAsync, Interval, stoppingToken);

    private void OnApplied(IReadOnlyList<Change> changes)
    {
        if (changes.Any(change => change.Selector.TryGetValue(ResetKind, out _)))
            ForgetCounters();
    }

    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        await lists.SynchronizeAsync(cancellationToken);
        await limited.SendAsync(cancellationToken);
        if (await log.ReadNodesAsync(cancellationToken) is { } known)
            share.Nodes = known.Nodes.Count(node => node.MayHoldLease);
    }
}
