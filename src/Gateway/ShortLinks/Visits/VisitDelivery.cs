using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks.Visits;

/// <summary>
/// Writes counted visits to Redis: every <see cref="ShortLinksOptions.FlushInterval"/>, and what is left when the node
/// stops in order. A batch without an answer is sent again until it has one, and counted once.
/// </summary>
internal sealed class VisitDelivery(
    VisitCounts counts, VisitStore store, LinkRanking ranking, IOptionsMonitor<ShortLinksOptions> options, TimeProvider time, ShortLinksMetrics metrics,
    ILogger<VisitDelivery> logger) : BackgroundService
{
    private const int CallsAtOnce = 128;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StopInterval = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>Writes what waits now.</summary>
    /// <returns>Whether all of it is in Redis.</returns>
    public async Task<bool> DeliverAsync(CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            foreach (var chunk in counts.Take().Chunk(CallsAtOnce))
            {
                var sent = await Task.WhenAll(chunk.Select(visited => SendAsync(visited.Link, visited.Counter, cancellationToken)));
                await ranking.AddAsync([.. sent.OfType<CountedVisits>().Where(counted => counted.Total > 0)], cancellationToken);
                // The rest would wait for the deadline too.
                if (Array.Exists(sent, counted => counted is null))
                    return false;
            }

            await ranking.AddNotedAsync(cancellationToken);
            return true;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var limit = new CancellationTokenSource(StopLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            // More than once: a batch sent again leaves the visits that came after it. At least once: for the ranking.
            while (!await DeliverAsync(either.Token) || counts.Waiting > 0)
                await Task.Delay(StopInterval, time, either.Token);
        }
        catch (OperationCanceledException)
        {
            ShortLinksLog.VisitsLostAtStop(logger, counts.Waiting);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _oneAtATime.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.CurrentValue.FlushInterval, time, stoppingToken);
                await DeliverAsync(stoppingToken);
                ReportLost();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                // What is left is StopAsync's.
            }
            catch (Exception exception)
            {
                // Without this loop no visit would be counted any more.
                ShortLinksLog.DeliveryFailed(logger, exception);
            }
        }
    }

    // Null: no answer, the batch stays.
    private async Task<CountedVisits?> SendAsync(VisitedLink link, VisitCounts.Counter counter, CancellationToken cancellationToken)
    {
        var batch = counter.Batch;
        var reply = await store.TryCountAsync(link, batch, cancellationToken);
        if (!reply.TryGet(out var total))
            return null;
        counter.Complete();
        metrics.Delivered(batch.Visits);
        return new CountedVisits(link, batch.Visits, total);
    }

    private void ReportLost()
    {
        if (counts.TakeLost() is not (> 0 and var lost))
            return;
        metrics.Lost(lost);
        ShortLinksLog.VisitsLost(logger, lost);
    }
}
