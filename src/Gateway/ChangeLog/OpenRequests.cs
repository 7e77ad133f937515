using System.Collections.Concurrent;

namespace Gateway.ChangeLog;

/// <summary>
/// The identified requests whose responses go on, and their end when the identity's grant is withdrawn. A request costs
/// nothing but a callback before its response begins; only one whose response has no length is kept here: an upgraded
/// connection, an event stream, a response of unknown end.
/// </summary>
/// <param name="metrics">Told of what begins and ends.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of what was ended.</param>
/// <param name="maxRequests">How many are watched.</param>
internal sealed class OpenRequests(
    OpenRequestsMetrics metrics, TimeProvider time, ILogger<OpenRequests> logger, int maxRequests = OpenRequests.MaxRequests) : BackgroundService
{
    /// <summary>How many are watched by default. One more is ended at once: what cannot be watched could not be ended.</summary>
    public const int MaxRequests = 100_000;

    // A response that is only just beginning is usually the last one: of who signs out, say. It may end by itself.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    // What notices expiry, of which nobody tells, and what began after it had no right to.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    // Grants may have to ask Redis. One after the other, many of them would keep the last one open for long.
    private const int AtOnce = 64;

    private readonly ConcurrentDictionary<OpenRequest, bool> _open = new();
    private readonly SynchronizationLoop _loop = new(time, exception => ChangeLogLog.OpenRequestsFailed(logger, exception));
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Ends the request when <paramref name="grant"/> is withdrawn, if its response goes on for so long.</summary>
    public void Watch(HttpContext context, RequestGrant grant) =>
        context.Response.OnStarting(static state => ((OpenRequest)state).BeginAsync(), new OpenRequest(this, context, grant));

    /// <summary>Says that grants may have been withdrawn. From any thread.</summary>
    public void Recheck() => _loop.Hint();

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(CloseWithdrawnAsync, Interval, stoppingToken);

    private async Task CloseWithdrawnAsync(CancellationToken cancellationToken)
    {
        var closed = 0;
        await Parallel.ForEachAsync(_open, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (entry, cancellation) =>
        {
            if (await TryCloseAsync(entry.Key, cancellation))
                Interlocked.Increment(ref closed);
        });

        if (closed == 0)
            return;
        metrics.Withdrawn(closed);
        ChangeLogLog.OpenRequestsClosed(logger, closed);
    }

    // One that cannot be judged must not keep those behind it open.
    private async ValueTask<bool> TryCloseAsync(OpenRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await request.CloseIfWithdrawnAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            ChangeLogLog.OpenRequestsFailed(logger, exception);
            return false;
        }
    }

    private long Now => time.GetTimestamp();

    private bool IsPastGrace(long began) => time.GetElapsedTime(began) >= Grace;

    private bool TryAdd(OpenRequest request)
    {
        if (Interlocked.Increment(ref _count) > maxRequests)
        {
            Interlocked.Decrement(ref _count);
            metrics.TooMany();
            return false;
        }

        _open[request] = true;
        metrics.Opened();
        return true;
    }

    private void Remove(OpenRequest request)
    {
        if (!_open.TryRemove(request, out _))
            return;
        Interlocked.Decrement(ref _count);
        metrics.Ended();
    }

    private sealed class OpenRequest(OpenRequests owner, HttpContext context, RequestGrant grant)
    {
        private readonly Lock _ending = new();
        private long _began;
        private bool _hasEnded;

        public Task BeginAsync()
        {
            if (!GoesOn(context))
                return Task.CompletedTask;
            _began = owner.Now;
            if (owner.TryAdd(this))
                context.Response.OnCompleted(static state => ((OpenRequest)state).CompleteAsync(), this);
            else
                context.Abort();
            return Task.CompletedTask;
        }

        public async ValueTask<bool> CloseIfWithdrawnAsync(CancellationToken cancellationToken) =>
            owner.IsPastGrace(_began) && await grant.IsWithdrawnAsync(cancellationToken) && TryAbort();

        private static bool GoesOn(HttpContext context) =>
            context.Response.ContentLength is null
            && !HttpMethods.IsHead(context.Request.Method)
            && context.Response.StatusCode is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified);

        // The server uses a context again for the connection's next request, which is somebody else's business.
        private bool TryAbort()
        {
            lock (_ending)
            {
                if (_hasEnded)
                    return false;
                _hasEnded = true;
                context.Abort();
                return true;
            }
        }

        private Task CompleteAsync()
        {
            lock (_ending)
                _hasEnded = true;
            owner.Remove(this);
            return Task.CompletedTask;
        }
    }
}
