using System.Threading.Channels;
using Gateway.Redis;

namespace Gateway.ChangeLog;

/// <summary>
/// How a node keeps a copy of what Redis holds in step: it synchronizes when somebody hints that there is something new,
/// and after an interval in case every hint was lost. A failure is reported and tried again, never the end.
/// </summary>
/// <param name="time">The clock of the interval.</param>
/// <param name="report">Told of failures. Redis being away is none.</param>
internal sealed class SynchronizationLoop(TimeProvider time, Action<Exception> report)
{
    // One waiting hint is as good as many: each time everything is read.
    private readonly Channel<bool> _hints = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Ends the current or the next wait. From any thread.</summary>
    public void Hint() => _hints.Writer.TryWrite(true);

    /// <summary>
    /// Takes as a hint that the change log began anew, that Redis returned, and each applied change of one of
    /// <paramref name="kinds"/>.
    /// </summary>
    /// <returns>Ends it.</returns>
    public IDisposable HintOn(SharedChangeLog log, RedisConnection redis, params string[] kinds)
    {
        void OnApplied(IReadOnlyList<Change> changes)
        {
            if (changes.Any(change => kinds.Any(kind => change.Selector.TryGetValue(kind, out _))))
                Hint();
        }

        log.Applied += OnApplied;
        log.EpochChanged += Hint;
        redis.Restored += Hint;
        return new Subscription(() =>
        {
            log.Applied -= OnApplied;
            log.EpochChanged -= Hint;
            redis.Restored -= Hint;
        });
    }

    /// <summary>Synchronizes on every hint and after every interval, until the node stops.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> synchronize, TimeSpan interval, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await WaitAsync(interval, stoppingToken);
            await TryAsync(synchronize, stoppingToken);
        }
    }

    /// <summary>Waits for a hint.</summary>
    /// <returns>Whether one came; false when the limit is over, or the node stops.</returns>
    public async Task<bool> WaitAsync(TimeSpan limit, CancellationToken stoppingToken)
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

    /// <summary>Synchronizes once.</summary>
    /// <returns>False when it failed, or the node stops.</returns>
    public async Task<bool> TryAsync(Func<CancellationToken, Task> synchronize, CancellationToken stoppingToken)
    {
        try
        {
            await synchronize(stoppingToken);
            return true;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception exception)
        {
            // A loop that ended would leave this node without the others' changes for good.
            report(exception);
            return false;
        }
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
