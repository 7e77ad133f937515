using System.Collections.Concurrent;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.RateLimiting.Leasing;

/// <summary>
/// Permits that this node took from Redis in batches and hands out by itself: one counter that very many requests share
/// then costs Redis one call for a batch. What is left is given back when the counter was not used for a second, and when
/// the node stops; permits of a window that is over are void. Never more than the limit pass.
/// </summary>
internal sealed class LeasedPermits(RedisConnection redis, TimeProvider time) : BackgroundService
{
    private const int MaxCounters = 1000;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);
    private static readonly RedisScript LeaseScript = RedisScript.Load("RateLimiting/Leasing/lease.lua");

    private readonly ConcurrentDictionary<string, LeasedCounter> _counters = new(StringComparer.Ordinal);

    /// <summary>Whether the counter of a charge is leased here, or can be.</summary>
    public bool CanLease(in LimitCharge charge) => _counters.ContainsKey(charge.Key) || _counters.Count < MaxCounters;

    /// <summary>Takes a permit that this node has.</summary>
    /// <returns>Null: it has none.</returns>
    public Charge? TryTake(in LimitCharge charge) => _counters.TryGetValue(charge.Key, out var counter) ? counter.TryTake(charge) : null;

    /// <summary>Takes a permit of this node's, or a batch from Redis first.</summary>
    /// <returns>Null when Redis did not answer.</returns>
    public async ValueTask<Charge?> TryChargeAsync(LimitCharge charge, CancellationToken cancellationToken)
    {
        while (true)
        {
            var counter = _counters.GetOrAdd(charge.Key, static (_, time) => new LeasedCounter(time), time);
            if (counter.TryTake(charge) is { } own)
                return own;

            // One request asks; the others wait for what it gets, no longer than its call may take.
            var waitedFrom = time.GetTimestamp();
            await counter.Asking.WaitAsync(cancellationToken);
            try
            {
                if (counter.IsDropped)
                    continue;
                if (counter.TryTake(charge) is { } others)
                    return others;
                // Not by another configuration's limit: a reload may have come between.
                if (counter.Refusal is { Charge: { } refusal } last && last.At >= waitedFrom && refusal.Limits[0].Limit == charge.Limit)
                    return refusal;
                return await LeaseAsync(counter, charge);
            }
            finally
            {
                counter.Asking.Release();
            }
        }
    }

    /// <summary>Forgets all permits: counters were reset.</summary>
    public void Clear() => _counters.Clear();

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        foreach (var (key, counter) in _counters)
            await GiveBackAsync(key, counter, cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(IdleLimit, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var (key, counter) in _counters.Where(one => one.Value.IdleFor >= IdleLimit))
                    await GiveBackAsync(key, counter, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async ValueTask<Charge?> LeaseAsync(LeasedCounter counter, LimitCharge charge)
    {
        var call = new LeaseCall(charge, charge.Limit.LeaseBatch, counter.Ends, time.GetTimestamp());
        // Not given up when the client hangs up: what was asked for is lent.
        var reply = await CallAsync(call, CancellationToken.None);
        if (!reply.TryGet(out var result))
        {
            _ = KeepLateAsync(counter, call);
            return null;
        }

        var lease = Lease.Of(result);
        // A total whose date has passed limits nothing.
        if (lease.Ends == 0)
            return new Charge(true, [new LimitState(charge.Limit, charge.Permits, 0, TimeSpan.Zero, TimeSpan.Zero)]);

        Add(counter, call, lease);
        if (counter.TryTake(charge) is { } taken)
            return taken;
        var wait = lease.Left < ShortestWait ? ShortestWait : lease.Left;
        var refusal = new Charge(false, [new LimitState(charge.Limit, charge.Permits, charge.Permits, lease.Left, wait)]);
        counter.Refusal = (refusal, time.GetTimestamp());
        return refusal;
    }

    // A batch that came too late for the request that asked serves the next ones, and is given back like any other: at once
    // where the counter was dropped meanwhile.
    private async Task KeepLateAsync(LeasedCounter counter, LeaseCall call)
    {
        if (call.Reply is not { } reply)
            return;
        try
        {
            var lease = Lease.Of(await reply);
            await counter.Asking.WaitAsync();
            try
            {
                if (!counter.IsDropped)
                    KeepLate(counter, call, lease);
                else if (lease.Lent > 0)
                    await CallAsync(call with { Wanted = -lease.Lent, Ends = lease.Ends, Reply = null }, CancellationToken.None);
            }
            finally
            {
                counter.Asking.Release();
            }
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            // Whether any were lent nobody knows: they are short until the window ends.
        }
    }

    // An earlier window's are void by now.
    private void KeepLate(LeasedCounter counter, LeaseCall call, in Lease lease)
    {
        if (lease.Ends >= counter.Ends - LeasedCounter.SameWindow)
            Add(counter, call, lease);
    }

    // Counted from before the call: the window never ends here later than in Redis.
    private void Add(LeasedCounter counter, LeaseCall call, in Lease lease) =>
        counter.Add(lease.Lent, lease.Used, call.Sent + (long)(lease.Left.TotalSeconds * time.TimestampFrequency), lease.Ends, call.Charge);

    private async ValueTask GiveBackAsync(string key, LeasedCounter counter, CancellationToken cancellationToken)
    {
        // Nobody leases meanwhile: a window's permits are given back to that window.
        if (!await counter.Asking.WaitAsync(TimeSpan.Zero, cancellationToken))
            return;
        try
        {
            // Not tried again: without an answer they are short until the window ends.
            if (counter.TakeRest(out var charge) is > 0 and var rest)
                await CallAsync(new LeaseCall(charge, -rest, counter.Ends, time.GetTimestamp()), cancellationToken);
            counter.IsDropped = true;
            _counters.TryRemove(new(key, counter));
        }
        finally
        {
            counter.Asking.Release();
        }
    }

    private ValueTask<RedisReply<RedisResult>> CallAsync(LeaseCall call, CancellationToken cancellationToken) => redis.TryAsync(
        static (database, call) => call.Reply = LeaseScript.EvaluateAsync(database, [call.Charge.Key], call.ToArguments()), call, cancellationToken);

    /// <param name="Wanted">Permits wanted, or, below 0, given back.</param>
    /// <param name="Ends">When the window they are of ends by Redis, in ms since 1970.</param>
    /// <param name="Sent">When it is sent, by the monotonic clock.</param>
    private sealed record LeaseCall(LimitCharge Charge, long Wanted, long Ends, long Sent)
    {
        /// <summary>What Redis answers, in time or not.</summary>
        public Task<RedisResult>? Reply { get; set; }

        public RedisValue[] ToArguments()
        {
            var limit = Charge.Limit;
            var isTotal = limit.Algorithm == RateLimitAlgorithm.Total;
            return
            [
                Charge.Permits, isTotal ? 0 : (long)Math.Ceiling(limit.Span.TotalMilliseconds), isTotal ? limit.Until.ToUnixTimeMilliseconds() : 0, Wanted, Ends,
            ];
        }
    }

    /// <summary>What the script answers.</summary>
    private readonly record struct Lease(long Lent, long Used, TimeSpan Left, long Ends)
    {
        public static Lease Of(RedisResult reply) => new((long)reply[0], (long)reply[1], TimeSpan.FromMilliseconds((long)reply[2]), (long)reply[3]);
    }
}
