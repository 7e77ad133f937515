using System.Threading.Channels;
using Gateway.Redis;

namespace Gateway.ShortLinks.Visits;

/// <summary>Tells Redis what <see cref="KnownTotals"/> knows, whenever it may have forgotten some of it.</summary>
internal sealed class TotalsWriteBack(KnownTotals totals, VisitStore visits, RedisConnection redis, TimeProvider time, ILogger<TotalsWriteBack> logger) : BackgroundService
{
    private const int CallsAtOnce = 128;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);

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
        while (true)
        {
            var interruptions = totals.Interruptions;
            if (await TryWriteBackAsync(cancellationToken))
            {
                totals.WrittenBack(interruptions);
                return;
            }

            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }

    private async Task<bool> TryWriteBackAsync(CancellationToken cancellationToken)
    {
        // Also where nothing is known: Redis must answer before it can be trusted to know what others wrote back.
        if (!(await redis.TryAsync(static database => database.PingAsync(StackExchange.Redis.CommandFlags.DemandMaster), cancellationToken)).IsAnswered)
            return false;
        foreach (var chunk in totals.All.Chunk(CallsAtOnce))
        {
            var written = await Task.WhenAll(chunk.Select(known => visits.TryRaiseAsync(known, cancellationToken).AsTask()));
            if (written.Contains(false))
                return false;
        }

        return true;
    }
}
