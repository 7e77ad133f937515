using System.Threading.Channels;
using Gateway.Redis;

namespace Gateway.ShortLinks.Visits;

/// <summary>Tells Redis what <see cref="KnownTotals"/> knows, whenever it may have forgotten some of it.</summary>
internal sealed class TotalsWriteBack(KnownTotals totals, VisitStore visits, RedisConnection redis, TimeProvider time, ILogger<TotalsWriteBack> logger) : BackgroundService
{
    private const int FewCallsAtOnce = RedisCircuit.FailuresToOpen - 1;
    private const int MostCallsAtOnce = 128;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetryInterval = TimeSpan.FromMilliseconds(800);

    private readonly Channel<bool> _hints = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        redis.Interrupted += OnInterrupted;
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        redis.Interrupted -= OnInterrupted;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var _ in _hints.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                await WriteBackAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Without this loop no link with a maximum could be followed any more.
                ShortLinksLog.WriteBackFailed(logger, exception);
                await Task.Delay(RetryInterval, time, stoppingToken);
                _hints.Writer.TryWrite(true);
            }
        }
    }

    private void OnInterrupted()
    {
        totals.Interrupt();
        _hints.Writer.TryWrite(true);
    }

    private async Task WriteBackAsync(CancellationToken cancellationToken)
    {
        long interruptions;
        do
            interruptions = totals.Interruptions;
        while (!await TryWriteBackAsync(interruptions, cancellationToken));
        totals.WrittenBack(interruptions);
    }

    // False: Redis was interrupted again, and all is written anew. Where only a part of it does not answer, such as one
    // master of a cluster, what is missing is tried again a little at a time: many failures at once would open the circuit
    // for all that the others answer well. Others may open it all the same: then this goes on where it was, since from the
    // beginning it might never get past what does not answer.
    private async Task<bool> TryWriteBackAsync(long interruptions, CancellationToken cancellationToken)
    {
        var (callsAtOnce, hasFailed, delay) = (FewCallsAtOnce, false, RetryInterval);
        var missing = new Queue<KnownTotal>(totals.All);
        while (totals.Interruptions == interruptions)
        {
            // Also where nothing is known: Redis must answer before it can be trusted to know what others wrote back.
            if (!await AnswersAsync(cancellationToken))
            {
                await Task.Delay(RetryInterval, time, cancellationToken);
                continue;
            }

            while (missing.Count > 0 && await TryWriteAsync(missing, callsAtOnce, cancellationToken))
            {
                delay = RetryInterval;
                if (!hasFailed)
                    callsAtOnce = Math.Min(2 * callsAtOnce, MostCallsAtOnce);
            }

            if (missing.Count == 0)
                return true;
            (callsAtOnce, hasFailed) = (FewCallsAtOnce, true);
            await Task.Delay(delay, time, cancellationToken);
            delay = delay < LongestRetryInterval ? 2 * delay : LongestRetryInterval;
        }

        return false;
    }

    private async ValueTask<bool> AnswersAsync(CancellationToken cancellationToken) =>
        (await redis.TryAsync(static database => database.PingAsync(StackExchange.Redis.CommandFlags.DemandMaster), cancellationToken)).IsAnswered;

    // What got no answer goes to the end.
    private async Task<bool> TryWriteAsync(Queue<KnownTotal> missing, int callsAtOnce, CancellationToken cancellationToken)
    {
        var chunk = new List<KnownTotal>(callsAtOnce);
        while (chunk.Count < callsAtOnce && missing.TryDequeue(out var known))
            chunk.Add(known);
        var written = await Task.WhenAll(chunk.Select(known => visits.TryRaiseAsync(known, cancellationToken).AsTask()));
        foreach (var (known, isWritten) in chunk.Zip(written))
        {
            if (!isWritten)
                missing.Enqueue(known);
        }

        return !written.Contains(false);
    }
}
