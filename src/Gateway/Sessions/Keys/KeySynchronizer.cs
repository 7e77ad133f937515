using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;

namespace Gateway.Sessions.Keys;

/// <summary>
/// Keeps this node's copy of the DataProtection keys in step with Redis: before the first request, when the change log
/// says so, when Redis returns, and every minute in case all of that was missed. No request waits for it.
/// </summary>
internal sealed class KeySynchronizer(
    KeyRepository keys, SharedKeyManager keyManager, IKeyRingProvider keyRing, RedisConnection redis, SharedChangeLog log, TimeProvider time,
    ILogger<KeySynchronizer> logger) : BackgroundService
{
    private const int RingAttempts = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan RingInterval = TimeSpan.FromMilliseconds(10);

    private readonly SynchronizationLoop _loop = new(time, exception => SessionsLog.SynchronizationFailed(logger, exception));

    private IDisposable? _hints;
    private bool _hasRing;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        keys.Stored += _loop.Hint;
        _hints = _loop.HintOn(log, redis, KeyRepository.ChangeKind);

        // The first ring is built from what Redis holds; only if it holds nothing, or is away, of a key made here.
        await _loop.TryAsync(SynchronizeAsync, cancellationToken);
        _ = keyRing.GetCurrentKeyRing();
        _hasRing = true;
        // A key made here is in Redis before anything is protected by it.
        await _loop.TryAsync(SynchronizeAsync, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        keys.Stored -= _loop.Hint;
        _hints?.Dispose();
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(SynchronizeAsync, Interval, stoppingToken);

    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        if (await keys.SynchronizeAsync(cancellationToken) is not { } learned)
            return;
        if (learned > 0 && _hasRing)
            await RenewRingAsync(cancellationToken);
        keys.IsJoined = true;
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
