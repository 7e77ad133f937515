using System.Threading.Channels;
using Gateway.ChangeLog;
using Gateway.Redis;

namespace Gateway.Tokens.Revocations;

/// <summary>
/// Keeps this node's list complete: all of Redis' revocations at the start, when Redis returns and when the change log
/// begins anew, and what the log spreads between. Where Redis lost some that this node knows, it writes them back.
/// </summary>
internal sealed class RevocationSync(
    SharedChangeLog log, RevocationList list, RevocationStore store, RedisConnection redis, TimeProvider time, ILogger<RevocationSync> logger)
    : BackgroundService
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PruneInterval = TimeSpan.FromMinutes(1);

    // One waiting hint is as good as many: each time everything is read.
    private readonly Channel<bool> _hints = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private int _epochs;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        log.Applied += store.Apply;
        log.EpochChanged += OnEpochChanged;
        redis.Restored += Hint;
        // Before the first request, where Redis is there.
        if (!await SynchronizeSafelyAsync(cancellationToken))
            Hint();
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        log.Applied -= store.Apply;
        log.EpochChanged -= OnEpochChanged;
        redis.Restored -= Hint;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var isHinted = await WaitForHintAsync(list.IsComplete ? PruneInterval : RetryInterval, stoppingToken);
            if (isHinted || !list.IsComplete)
                await SynchronizeSafelyAsync(stoppingToken);
            list.Prune();
        }
    }

    private void OnEpochChanged()
    {
        Interlocked.Increment(ref _epochs);
        list.IsComplete = false;
        Hint();
    }

    private void Hint() => _hints.Writer.TryWrite(true);

    private async Task<bool> WaitForHintAsync(TimeSpan limit, CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, timeout.Token);
        try
        {
            return await _hints.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<bool> SynchronizeSafelyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await SynchronizeAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception exception)
        {
            TokensLog.RevocationsFailed(logger, exception);
            return false;
        }
    }

    private async Task<bool> SynchronizeAsync(CancellationToken cancellationToken)
    {
        var epochs = Volatile.Read(ref _epochs);
        if (await store.ReadAllAsync(cancellationToken) is not { } stored)
            return false;
        foreach (var revocation in stored.Values)
            list.Add(revocation);
        if (!await WriteBackAsync(list.Beyond(stored), cancellationToken))
            return false;

        // A log that began anew meanwhile may stand for another Redis than the one just read.
        if (epochs != Volatile.Read(ref _epochs))
            return false;
        list.IsComplete = true;
        return true;
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
