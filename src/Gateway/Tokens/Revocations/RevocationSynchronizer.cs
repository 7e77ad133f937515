using Gateway.ChangeLog;
using Gateway.Redis;

namespace Gateway.Tokens.Revocations;

/// <summary>
/// Keeps this node's list complete: all of Redis' revocations at the start, when Redis returns and when the change log
/// begins anew, and what the log spreads between. Where Redis lost some that this node knows, it writes them back.
/// </summary>
internal sealed class RevocationSynchronizer(
    SharedChangeLog log, RevocationList list, RevocationStore store, RedisConnection redis, TimeProvider time, ILogger<RevocationSynchronizer> logger)
    : BackgroundService
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(1);

    private readonly SynchronizationLoop _loop = new(time, exception => TokensLog.RevocationsFailed(logger, exception));

    private IDisposable? _hints;
    private int _epochs;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        log.Applied += store.Apply;
        // Before the hint: what it makes this node read belongs to the new epoch.
        log.EpochChanged += OnEpochChanged;
        _hints = _loop.HintOn(log, redis);
        // Before the first request, where Redis is there.
        await _loop.TryAsync(SynchronizeAsync, cancellationToken);
        if (!list.IsComplete)
            _loop.Hint();
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        log.Applied -= store.Apply;
        log.EpochChanged -= OnEpochChanged;
        _hints?.Dispose();
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var isHinted = await _loop.WaitAsync(list.IsComplete ? PruneInterval : RetryInterval, stoppingToken);
            if (isHinted || !list.IsComplete)
                await _loop.TryAsync(SynchronizeAsync, stoppingToken);
            list.Prune();
        }
    }

    private void OnEpochChanged()
    {
        Interlocked.Increment(ref _epochs);
        list.IsComplete = false;
    }

    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        var epochs = Volatile.Read(ref _epochs);
        if (await store.ReadAllAsync(cancellationToken) is not { } stored)
            return;
        foreach (var revocation in stored.Values)
            list.Add(revocation);
        if (!await WriteBackAsync(list.Beyond(stored), cancellationToken))
            return;

        // A log that began anew meanwhile may stand for another Redis than the one just read.
        if (epochs == Volatile.Read(ref _epochs))
            list.IsComplete = true;
    }

    private async Task<bool> WriteBackAsync(List<Revocation> lost, CancellationToken cancellationToken)
    {
        foreach (var batch in lost.Chunk(RevocationStore.MaxBatch))
        {
            var (outcome, _) = await store.AddAsync(batch, cancellationToken);
            if (outcome == RevocationOutcome.Unavailable)
                return false;
            if (outcome == RevocationOutcome.Full)
            {
                TokensLog.RevocationsDoNotFit(logger);
                return true;
            }
        }

        if (lost.Count > 0)
            TokensLog.RevocationsWrittenBack(logger, lost.Count);
        return true;
    }
}
