using System.Threading.Channels;
using Gateway.ChangeLog;
using Gateway.Redis;
using Gateway.Sessions.Drain;
using Gateway.Sessions.Keys;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;

namespace Gateway.Sessions;

/// <summary>
/// Keeps this node's copies of the DataProtection keys and of the drains in step with Redis: before the first request,
/// when the change log says so, when Redis returns, and every minute in case all of that was missed. No request waits for it.
/// </summary>
internal sealed class SessionsSynchronizer(
    KeyRepository keys, SharedKeyManager keyManager, IKeyRingProvider keyRing, DrainedDestinations drained, RedisConnection redis,
    SharedChangeLog log, TimeProvider time, ILogger<SessionsSynchronizer> logger) : BackgroundService
{
    private const int RingAttempts = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RingInterval = TimeSpan.FromMilliseconds(10);

    // One waiting hint is as good as many: all is read.
    private readonly Channel<bool> _hints = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private bool _hasRing;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        keys.Stored += Hint;
        log.Applied += OnApplied;
        log.EpochChanged += Hint;
        redis.Restored += Hint;

        // The first ring is built from what Redis holds; only if it holds nothing, or is away, of a key made here.
        await SynchronizeAsync(cancellationToken);
        _ = keyRing.GetCurrentKeyRing();
        _hasRing = true;
        // A key made here is in Redis before anything is protected by it.
        await SynchronizeAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        keys.Stored -= Hint;
        log.Applied -= OnApplied;
        log.EpochChanged -= Hint;
        redis.Restored -= Hint;
        return base.StopAsync(cancellationToken);
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
            if (change.Selector.TryGetValue(KeyRepository.ChangeKind, out _) || change.Selector.TryGetValue(DrainedDestinations.ChangeKind, out _))
                Hint();
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
            await SynchronizeAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
        catch (Exception exception)
        {
            // A loop that ended would leave this node without other nodes' keys for good.
            SessionsLog.SynchronizationFailed(logger, exception);
        }
    }

    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        await drained.SynchronizeAsync(cancellationToken);
        if (await keys.SynchronizeAsync(cancellationToken) > 0 && _hasRing)
            await RenewRingAsync(cancellationToken);
    }

    // An expired ring is renewed in the background by whoever asks for it, who gets the old one meanwhile. Asked for here
    // until it is the new one, no request meets a cookie of a key that this node has but its ring does not.
    private async Task RenewRingAsync(CancellationToken cancellationToken)
    {
        var old = keyRing.GetCurrentKeyRing();
        keyManager.Expire();
        for (var attempt = 0; attempt < RingAttempts && ReferenceEquals(keyRing.GetCurrentKeyRing(), old); attempt++)
            await Task.Delay(RingInterval, time, cancellationToken);
    }
}
