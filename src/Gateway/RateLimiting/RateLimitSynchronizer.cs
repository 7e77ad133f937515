using System.Threading.Channels;
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

    // One waiting hint is as good as many: all is read.
    private readonly Channel<bool> _hints = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        log.Applied += OnApplied;
        log.EpochChanged += Hint;
        redis.Restored += Hint;
        await SynchronizeSafelyAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        log.Applied -= OnApplied;
        log.EpochChanged -= Hint;
        redis.Restored -= Hint;
        return base.StopAsync(cancellationToken);
    }

    /// <summary>Forgets what this node knows of counters that were reset.</summary>
    public void ForgetCounters()
    {
        blocked.Clear();
        leased.Clear();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await WaitForHintAsync(stoppingToken);
            await SynchronizeSafelyAsync(stoppingToken);
        }
    }

    private void Hint() => _hints.Writer.TryWrite(true);

    private void OnApplied(IReadOnlyList<Change> changes)
    {
        foreach (var change in changes)
        {
            if (change.Selector.TryGetValue(ClientLists.ChangeKind, out _))
                Hint();
            else if (change.Selector.TryGetValue(ResetKind, out _))
                ForgetCounters();
        }
    }

    private async Task WaitForHintAsync(CancellationToken stoppingToken)
    {
        using var interval = new CancellationTokenSource(Interval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, interval.Token);
        try
        {
            await _hints.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // The interval is over, or the node stops: the loop tells them apart.
        }
    }

    private async Task SynchronizeSafelyAsync(CancellationToken stoppingToken)
    {
        try
        {
            await lists.SynchronizeAsync(stoppingToken);
            await limited.SendAsync(stoppingToken);
            if (await log.ReadNodesAsync(stoppingToken) is { } known)
                share.Nodes = known.Nodes.Count(node => node.MayHoldLease);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
        catch (Exception exception)
        {
            // A loop that ended would leave this node without the others' lists for good.
            RateLimitingLog.SynchronizationFailed(logger, exception);
        }
    }
}
