using System.Collections.Concurrent;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.RateLimiting.Leasing;

/// <summary>
/// Permits that this node took from Redis in batches and hands out by itself: one counter that very many requests share
/// then costs Redis one call for a batch. What is left is given back when the counter was not used for a second, and when
/// the node stops; permits of a window that is over, and of before a reset, are void. Never more than the limit pass.
/// </summary>
internal sealed class LeasedPermits(RedisConnection redis, TimeProvider time) : BackgroundService
{
    private const int MaxCounters = 1000;
    private const int CallsAtOnce = 64;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);
    private static readonly RedisScript LeaseScript = RedisScript.Load("RateLimiting/Leasing/lease.lua");

    private readonly ConcurrentDictionary<string, LeasedCounter> _counters = new(StringComparer.Ordinal);
    private volatile bool _isStopping;

    /// <summary>Whether the counter of a charge is leased here, or can be.</summary>
    public bool CanLease(in LimitCharge charge) => _counters.ContainsKey(charge.Key) || _counters.Count < MaxCounters;

    /// <summary>Takes a permit that this node has.</summary>
    /// <returns>False: it has none.</returns>
    public bool TryTake(in LimitCharge charge, out LimitState state)
    {
        state = default;
        return _counters.TryGetValue(charge.Key, out var counter) && counter.TryTake(charge, out state);
    }

    /// <summary>Takes a permit of this node's, or a batch from Redis first.</summary>
    /// <returns>Null when Redis did not answer.</returns>
    public async ValueTask<Charge?> TryChargeAsync(LimitCharge charge, CancellationToken cancellationToken)
    {
        while (true)
        {
            var counter = _counters.GetOrAdd(charge.Key, static (_, time) => new LeasedCounter(time), time);
            if (counter.TryTake(charge, out var own))
                return new Charge(true, [own]);

            // One request asks; the others wait for what it gets, no longer than its call may take.
            var waitedFrom = time.GetTimestamp();
            await counter.Asking.WaitAsync(cancellationToken);
            try
            {
                if (counter.IsDropped)
                    continue;
                if (counter.TryTake(charge, out var others))
                    return new Charge(true, [others]);
                // Not by another configuration's limit: a reload may have come between.
                if (counter.Refusal is { Charge: { } refusal } last && last.At >= waitedFrom && refusal.Limits[0].Limit == charge.Limit)
                    return refusal;
                return await LeaseAsync(counter, charge, cancellationToken);
            }
            finally
            {
                counter.Asking.Release();
            }
        }
    }

    /// <summary>Counters were reset, this node cannot tell which: all permits go back, and those of before the reset are void there.</summary>
    public void Clear() => _ = GiveBackAsync(DropAll());

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // Requests that still run take what they need from now on, and nothing is left over.
        _isStopping = true;
        await base.StopAsync(cancellationToken);
        // Also where the node has taken too long to stop already: each call has a deadline of its own.
        await GiveBackAsync(DropAll());
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(IdleLimit, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await GiveBackAsync(Drop(_counters.Where(one => one.Value.IsIdle(IdleLimit))));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private List<LentPermits> DropAll() => Drop(_counters);

    private List<LentPermits> Drop(IEnumerable<KeyValuePair<string, LeasedCounter>> counters)
    {
        var rests = new List<LentPermits>();
        foreach (var counter in counters)
        {
            if (counter.Value.Drop() is { } rest)
                rests.Add(rest);
            _counters.TryRemove(counter);
        }

        return rests;
    }

    private async ValueTask<Charge?> LeaseAsync(LeasedCounter counter, LimitCharge charge, CancellationToken cancellationToken)
    {
        if (counter.TakeOther(charge.Limit) is { } other)
            await GiveBackAsync(other);
        var call = new LeaseCall(new LentPermits(charge, _isStopping ? charge.Cost : charge.Limit.LeaseBatch, 0, 0, 0), time.GetTimestamp());
        // Not given up when the client hangs up: what was asked for is lent.
        var reply = await CallAsync(call);
        if (!reply.TryGet(out var result))
        {
            _ = KeepLateAsync(counter, call);
            return null;
        }

        var lent = Read(result, call, out var left);
        if (lent.IsUnlimited)
            return new Charge(true, [new LimitState(charge.Limit, charge.Permits, 0, TimeSpan.Zero, TimeSpan.Zero)]);
        // Counters were reset meanwhile.
        if (!await TryAddAsync(counter, lent))
            return await TryChargeAsync(charge, cancellationToken);
        if (counter.TryTake(charge, out var taken))
            return new Charge(true, [taken]);
        var wait = left < ShortestWait ? ShortestWait : left;
        var refusal = new Charge(false, [new LimitState(charge.Limit, charge.Permits, charge.Permits, left, wait)]);
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
            var lent = Read(await reply, call, out _);
            if (!lent.IsUnlimited)
                await TryAddAsync(counter, lent);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            // Whether any were lent nobody knows: they are short until the window ends.
        }
    }

    private async ValueTask<bool> TryAddAsync(LeasedCounter counter, LentPermits lent)
    {
        if (counter.TryAdd(lent))
            return true;
        if (lent.Count > 0)
            await GiveBackAsync(lent);
        return false;
    }

    private Task GiveBackAsync(List<LentPermits> rests) =>
        Parallel.ForEachAsync(rests, new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce }, (rest, _) => GiveBackAsync(rest));

    // Not tried again: without an answer they are short until the window ends.
    private async ValueTask GiveBackAsync(LentPermits rest) => await CallAsync(new LeaseCall(rest with { Count = -rest.Count }, time.GetTimestamp()));

    private LentPermits Read(RedisResult reply, LeaseCall call, out TimeSpan left)
    {
        left = TimeSpan.FromMilliseconds((long)reply[2]);
        // Counted from before the call: the window never ends here later than in Redis.
        var voidAt = call.Sent + (long)(left.TotalSeconds * time.TimestampFrequency);
        return new LentPermits(call.Permits.Charge, (long)reply[0], (long)reply[1], voidAt, (long)reply[3]);
    }

    private ValueTask<RedisReply<RedisResult>> CallAsync(LeaseCall call) => redis.TryAsync(
        static (database, call) => call.Reply = LeaseScript.EvaluateAsync(database, call.Keys, call.Arguments), call, CancellationToken.None);

    /// <param name="Permits">Permits wanted, or, below 0, given back.</param>
    /// <param name="Sent">When it is sent, by the monotonic clock.</param>
    private sealed record LeaseCall(LentPermits Permits, long Sent)
    {
        /// <summary>What Redis answers, in time or not.</summary>
        public Task<RedisResult>? Reply { get; set; }

        public RedisKey[] Keys => [Permits.Charge.Key, RedisKeys.LeaseOf(Permits.Charge.Key)];

        public RedisValue[] Arguments
        {
            get
            {
                var limit = Permits.Charge.Limit;
                var isTotal = limit.Algorithm == RateLimitAlgorithm.Total;
                return
                [
                    Permits.Charge.Permits, isTotal ? 0 : (long)Math.Ceiling(limit.Span.TotalMilliseconds), isTotal ? limit.Until.ToUnixTimeMilliseconds() : 0,
                    Permits.Count, Permits.Which,
                ];
            }
        }
    }
}
