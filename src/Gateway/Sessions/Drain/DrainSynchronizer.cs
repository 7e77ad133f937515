using Gateway.ChangeLog;
using Gateway.Redis;

namespace Gateway.Sessions.Drain;

/// <summary>Keeps this node's copy of the drains in step with Redis, as <see cref="SynchronizationLoop"/> says. No request waits for it.</summary>
internal sealed class DrainSynchronizer(
    DrainedDestinations drained, RedisConnection redis, SharedChangeLog log, TimeProvider time, ILogger<DrainSynchronizer> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly SynchronizationLoop _loop = new(time, exception => SessionsLog.SynchronizationFailed(logger, exception));
    private IDisposable? _hints;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _hints = _loop.HintOn(log, redis, DrainedDestinations.ChangeKind);
        await _loop.TryAsync(SynchronizeAsync, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _hints?.Dispose();
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(SynchronizeAsync, Interval, stoppingToken);

    private async Task SynchronizeAsync(CancellationToken cancellationToken) => await drained.SynchronizeAsync(cancellationToken);
}
