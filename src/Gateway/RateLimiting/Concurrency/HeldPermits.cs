using System.Collections.Concurrent;
using System.Globalization;
using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.RateLimiting.Concurrency;

/// <summary>
/// The concurrency permits of requests that run on this node: renewed while they run, a WebSocket for days, and given
/// back when they end. A node that dies renews none, and Redis frees them after <see cref="RateLimitCounters.PermitHold"/>.
/// </summary>
internal sealed class HeldPermits(RedisConnection redis, NodeIdentity node, TimeProvider time, ILogger<HeldPermits> logger) : BackgroundService
{
    private const int CallsAtOnce = 64;
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(2);
    private static readonly RedisScript RenewScript = RedisScript.Load("RateLimiting/Concurrency/renew.lua");

    private readonly ConcurrentDictionary<string, Holding> _held = new(StringComparer.Ordinal);
    private long _count;

    /// <summary>A name for a request that no other request of any node has.</summary>
    public string NewName() => string.Create(CultureInfo.InvariantCulture, $"{node.Id}-{Interlocked.Increment(ref _count)}");

    /// <summary>Renews the permits of a request from now on: those it took, which a shadow that is used up gave none of.</summary>
    public void Add(string name, LimitCharge[] charges, LimitState[] states) => _held[name] = new Holding(
        [.. charges.Where((charge, i) => charge.Limit.Algorithm == RateLimitAlgorithm.Concurrency && !states[i].IsOver).Select(charge => charge.Key)],
        time.GetTimestamp());

    /// <summary>Gives the permits of a request back. Without an answer they end by themselves.</summary>
    public async ValueTask ReleaseAsync(string name)
    {
        if (!_held.TryRemove(name, out var holding))
            return;
        foreach (var key in holding.Keys)
        {
            await redis.TryAsync(
                static (database, permit) => database.SortedSetRemoveAsync(permit.key, permit.name), (key, name), CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RenewInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await RenewSafelyAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async Task RenewSafelyAsync(CancellationToken stoppingToken)
    {
        try
        {
            // Requests that are younger than a round end before their permits do, or are in the next round.
            var due = _held.Where(held => time.GetElapsedTime(held.Value.Since) >= RenewInterval)
                .SelectMany(held => held.Value.Keys, (held, key) => (Key: key, held.Key)).GroupBy(permit => permit.Key, permit => permit.Item2, StringComparer.Ordinal);
            foreach (var calls in due.Chunk(CallsAtOnce))
                await Task.WhenAll(calls.Select(permits => RenewAsync(permits.Key, permits, stoppingToken)));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A loop that ended would let all permits of this node run out under their requests.
            RateLimitingLog.RenewalFailed(logger, exception);
        }
    }

    private async Task RenewAsync(string key, IEnumerable<string> names, CancellationToken stoppingToken)
    {
        // One that was given back meanwhile is not put back.
        RedisValue[] arguments = [(long)RateLimitCounters.PermitHold.TotalMilliseconds, .. names.Where(_held.ContainsKey).Select(name => (RedisValue)name)];
        if (arguments.Length > 1)
            await redis.TryAsync(database => RenewScript.EvaluateAsync(database, [key], arguments), stoppingToken);
    }

    private readonly record struct Holding(string[] Keys, long Since);
}
