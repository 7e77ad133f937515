using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ChangeLog;

/// <summary>
/// Reads the change log: every 500 ms, on every hint, and when Redis returns. Hints may be lost; this poll is the
/// truth, and what a node's lease rests on.
/// </summary>
internal sealed class ChangeLogPoller(
    SharedChangeLog log, AppliedChanges applied, ChangeLease lease, LogContinuity continuity, RedisConnection redis, RedisKeys keys,
    RedisClock clock, NodeIdentity node, TimeProvider time, ILogger<ChangeLogPoller> logger) : BackgroundService
{
    private const int MaxChangesPerPoll = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ForgetNodesAfter = TimeSpan.FromMinutes(1);
    private static readonly RedisScript PollScript = RedisScript.Load("ChangeLog/poll.lua");

    private readonly SynchronizationLoop _loop = new(time, exception => ChangeLogLog.PollFailed(logger, exception));

    private bool _isSubscribed;

    /// <inheritdoc/>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (log.IsAlone)
        {
            // A fresh epoch, as of a new log: what a process before this one stored elsewhere is revalidated.
            applied.Reset(SharedChangeLog.NewEpoch(time), floor: 0);
            return;
        }

        redis.Interrupted += continuity.Interrupt;
        redis.Restored += _loop.Hint;
        // A first read before the first request, where Redis is there.
        await _loop.TryAsync(SynchronizeAsync, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        redis.Restored -= _loop.Hint;
        redis.Interrupted -= continuity.Interrupt;
        await base.StopAsync(cancellationToken);
        // A node that left in order is not waited for.
        await redis.TryAsync(database => database.SortedSetRemoveAsync(keys.Nodes, node.Id), cancellationToken);
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(SynchronizeAsync, Interval, stoppingToken);

    private async Task SynchronizeAsync(CancellationToken cancellationToken)
    {
        await SubscribeAsync();
        var hasMore = true;
        while (hasMore && await PollAsync(cancellationToken) is { } poll)
            hasMore = poll.HasMore;
        await WritePendingAsync(cancellationToken);
    }

    private async Task SubscribeAsync()
    {
        if (_isSubscribed || !redis.IsAvailable)
            return;
        try
        {
            await redis.SubscribeAsync(keys.ChangeLogChannel, _ => _loop.Hint());
            _isSubscribed = true;
        }
        catch (Exception exception) when (exception is TimeoutException or RedisException)
        {
            // The connection for messages stands later than the other. Without hints the log is read at intervals.
        }
    }

    private async Task<PollOutcome?> PollAsync(CancellationToken cancellationToken)
    {
        var from = applied.Position;
        RedisKey[] scriptKeys = [keys.ChangeLogMeta, keys.ChangeLogSelectors, keys.ChangeLogRecords, keys.Nodes, keys.NodesApplied];
        RedisValue[] arguments =
        [
            node.Id, from.Epoch, from.Number, from.RecordId, SharedChangeLog.NewEpoch(time), MaxChangesPerPoll,
            (long)ForgetNodesAfter.TotalMilliseconds,
        ];

        var sentAt = time.GetUtcNow();
        var sent = time.GetTimestamp();
        var reply = await redis.TryAsync(database => PollScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        if (!reply.TryGet(out var result))
            return null;

        var answer = PollAnswer.Parse(result);
        clock.Synchronize(answer.RedisTime, sentAt, time.GetUtcNow());
        return Take(answer, from, sent);
    }

    private PollOutcome Take(PollAnswer answer, Position from, long sent)
    {
        if (answer.Position.Epoch != from.Epoch)
        {
            applied.Reset(answer.Position.Epoch, answer.Position.Floor);
            if (from.Epoch > 0)
                ChangeLogLog.EpochChanged(logger);
            log.RaiseEpochChanged();
            return new PollOutcome(HasMore: true);
        }

        if (answer.Position != from)
            applied.Apply(answer.Changes, from, answer.Position);
        if (answer.Changes.Count > 0)
            log.RaiseApplied(answer.Changes);

        var isUpToDate = answer.Position.Number == answer.Head;
        if (isUpToDate)
            lease.Renew(sent);
        // After changes it polls once more at once, to tell those who wait that they are applied here.
        return new PollOutcome(HasMore: !isUpToDate || answer.Changes.Count > 0);
    }

    private async Task WritePendingAsync(CancellationToken cancellationToken)
    {
        foreach (var batch in applied.GetPending().Chunk(SharedChangeLog.MaxBatch))
        {
            var receipt = await log.TryAppendAsync(Array.ConvertAll(batch, pending => pending.Key), cancellationToken);
            if (receipt is not { } written)
                return;
            for (var i = 0; i < batch.Length; i++)
                applied.CompletePending(batch[i], written.Number - batch.Length + 1 + i, written.Epoch);
            ChangeLogLog.PendingWritten(logger, batch.Length);
        }
    }

    private readonly record struct PollOutcome(bool HasMore);
}
