using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.Redis;
using Microsoft.Extensions.Options;
using RedLockNet;
using StackExchange.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>
/// One fetch of a key among all nodes: a lock, and a signal that spares waiting nodes the polling. It saves the origin
/// work and decides nothing about correctness: without it, or with it lost, nodes fetch for themselves.
/// </summary>
internal sealed class FetchLock(
    RedisConnection redis, NodeLocks locks, RedisKeys keys, WaitingRequests waiting, IOptionsMonitor<HttpCacheOptions> options, TimeProvider time)
{
    // One may be an accident; a server that refuses writes refuses them all, however long one waits.
    private const int MaxFailures = 2;

    private static readonly TimeSpan FirstRecheck = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRecheck = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<string, Waiters> _waiters = new(StringComparer.Ordinal);
    private readonly Lock _subscribeGate = new();
    private Task? _subscribing;

    public bool IsAvailable => redis.IsAvailable && locks.IsAvailable;

    /// <summary>
    /// Enters the fetch of a key: to make it, or with what another node's fetch brought. A node whose fetch is not over
    /// after <paramref name="limit"/> is joined by one other, and that by one more: not by all who wait.
    /// </summary>
    /// <param name="readAgain">Looks in Redis for a response that can be reused.</param>
    /// <param name="variantOf">The key of the variant that the request wants, by a response's <c>Vary</c>.</param>
    /// <param name="limit">How long to wait for another node's fetch.</param>
    public async Task<NodeFetch> EnterAsync(
        string key, Func<ValueTask<StoredResponse?>> readAgain, Func<VaryRule, string> variantOf, TimeSpan limit, CancellationToken cancellationToken)
    {
        var name = CacheKey.Hash(key);
        // Registered before the attempt: a signal between a lost attempt and the wait must not be missed.
        using var waiter = Register(name);
        await SubscribeAsync(cancellationToken);
        var failures = 0;
        for (var turn = 0; turn < FetchCoordinator.MaxTurns; turn++)
        {
            var started = time.GetTimestamp();
            for (var recheck = FirstRecheck; ; recheck = recheck < LastRecheck ? recheck * 2 : LastRecheck)
            {
                var (held, hasFailed) = await locks.TryAcquireAsync(NameOf(name, turn));
                // The winner looks again too: another's fetch may have ended between its look-up and its lock.
                if (await readAgain() is { } found)
                {
                    await ReleaseAsync(held);
                    return new NodeFetch(found, null);
                }

                if (held is not null)
                    return new NodeFetch(null, new HeldFetchLock(this, name, held));
                failures = hasFailed ? failures + 1 : 0;
                if (!IsAvailable || failures == MaxFailures)
                    return NodeFetch.Alone;
                if (time.GetElapsedTime(started) > limit)
                    break;
                if (await WaitAsync(waiter, recheck, cancellationToken) is not { } signal)
                    return NodeFetch.Alone;
                if (signal.Outcome == FetchOutcome.NotShareable)
                    return NodeFetch.NotShareable;
                if (signal.Outcome == FetchOutcome.ShareableHere)
                    return NodeFetch.Alone;
                if (signal.Rule is { } rule && variantOf(rule) is var variant && CacheKey.Hash(variant) != signal.Variant)
                    return new NodeFetch(null, null, variant);
            }
        }

        return NodeFetch.Alone;
    }

    /// <summary>Whether a node holds the lock of a key; null where that is not known, because Redis does not answer.</summary>
    public ValueTask<bool?> IsHeldAsync(string key, CancellationToken cancellationToken) =>
        locks.IsHeldAsync(CacheKey.Hash(key), cancellationToken);

    internal bool FitsRedis(BodyRecording body) => !(body.AnnouncedLength > options.CurrentValue.RedisBodyLimit);

    internal async Task SignalAsync(string name, FetchSignal signal) =>
        await redis.TryAsync(
            static (database, state) => database.PublishAsync(state.Channel, state.Message),
            (Channel: keys.FetchSignalChannel, Message: $"{name}:{signal}"),
            CancellationToken.None);

    internal static ValueTask ReleaseAsync(IRedLock? held) => held is null ? default : held.DisposeAsync();

    private static string NameOf(string name, int turn) =>
        turn == 0 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}:{turn}");

    // Where too many wait, this one fetches: it is one for a key and node.
    private async ValueTask<FetchSignal?> WaitAsync(Waiters.Handle waiter, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (!waiting.TryEnter())
            return null;
        try
        {
            return await waiter.WaitAsync(limit, time, cancellationToken);
        }
        finally
        {
            waiting.Leave();
        }
    }

    // At the first fetch, and again after an attempt that failed. Until then nodes find by looking what they are not told.
    private async ValueTask SubscribeAsync(CancellationToken cancellationToken)
    {
        if (_subscribing is { IsCompletedSuccessfully: true } || !redis.IsAvailable)
            return;
        Task subscribing;
        lock (_subscribeGate)
        {
            if (_subscribing is null or { IsFaulted: true } or { IsCanceled: true })
                _subscribing = redis.SubscribeAsync(keys.FetchSignalChannel, OnSignal);
            subscribing = _subscribing;
        }

        try
        {
            await subscribing.WaitAsync(FirstRecheck, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or RedisException)
        {
            // Without signals waiting nodes look again after a while.
        }
    }

    private void OnSignal(RedisValue message)
    {
        var text = (string?)message ?? "";
        var end = text.IndexOf(':', StringComparison.Ordinal);
        if (end > 0 && _waiters.TryGetValue(text[..end], out var waiters) && FetchSignal.TryParse(text[(end + 1)..], out var signal))
            waiters.Signal(signal);
    }

    private Waiters.Handle Register(string name)
    {
        while (true)
        {
            if (_waiters.GetOrAdd(name, static (name, self) => new Waiters(self._waiters, name), this).TryEnter() is { } handle)
                return handle;
        }
    }

    /// <summary>Those of this process who wait for one key's fetch elsewhere: as many as leaders, so mostly one.</summary>
    private sealed class Waiters(ConcurrentDictionary<string, Waiters> all, string name)
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource<FetchSignal> _signal = New();
        private int _count;

        public Handle? TryEnter()
        {
            lock (_gate)
            {
                if (_count < 0)
                    return null;
                _count++;
                return new Handle(this);
            }
        }

        public void Signal(FetchSignal signal)
        {
            lock (_gate)
            {
                _signal.TrySetResult(signal);
                _signal = New();
            }
        }

        private static TaskCompletionSource<FetchSignal> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        private void Leave()
        {
            lock (_gate)
            {
                if (--_count > 0)
                    return;
                _count = -1;
                all.TryRemove(new KeyValuePair<string, Waiters>(name, this));
            }
        }

        /// <summary>One waiter's place. It sees every signal since it entered or since its last wait.</summary>
        public sealed class Handle(Waiters waiters) : IDisposable
        {
            private Task<FetchSignal> _next = waiters._signal.Task;

            /// <returns>The signal; none when <paramref name="limit"/> passed without one.</returns>
            public async Task<FetchSignal> WaitAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
            {
                try
                {
                    var outcome = await _next.WaitAsync(limit, time, cancellationToken);
                    lock (waiters._gate)
                        _next = waiters._signal.Task;
                    return outcome;
                }
                catch (TimeoutException)
                {
                    return default;
                }
            }

            public void Dispose() => waiters.Leave();
        }
    }
}

/// <summary>
/// What came of <see cref="FetchLock.EnterAsync"/>: a response another node fetched, the lock, the key of another variant
/// than the one that is being fetched, that nobody can share it, or nothing: then the caller fetches without the lock.
/// </summary>
internal readonly record struct NodeFetch(StoredResponse? Found, HeldFetchLock? Lock, string? VariantKey = null, bool IsNotShareable = false)
{
    public static NodeFetch Alone => default;

    public static NodeFetch NotShareable => new(null, null, IsNotShareable: true);
}

/// <summary>The lock, held: it is extended until it is released, which is when its fetch has nothing more for others, however it ends.</summary>
internal sealed class HeldFetchLock(FetchLock owner, string name, IRedLock held) : IAsyncDisposable
{
    private FetchOutcome _outcome = FetchOutcome.Failed;
    private int _isReleased;

    /// <summary>
    /// Tells other nodes at once that they cannot use the response, and of a stored one when they find it: they wait for no
    /// client of this node.
    /// </summary>
    public async Task FollowAsync(SharedFetch fetch)
    {
        var coming = (await fetch.Answered).Response;
        if (coming is { Body: { } body } && !owner.FitsRedis(body))
        {
            _outcome = FetchOutcome.ShareableHere;
            await DisposeAsync();
            return;
        }

        // Those who want another variant need not wait for this one's body.
        if (coming is { Body: not null } && !coming.Response.Vary.IsNone)
            await owner.SignalAsync(name, new FetchSignal(FetchOutcome.Shareable, coming.Response.Vary, CacheKey.Hash(coming.VariantKey)));
        _outcome = (await fetch.Completion).Outcome;
        if (_outcome == FetchOutcome.NotShareable)
            await owner.SignalAsync(name, new FetchSignal(_outcome));
        await fetch.Closed;
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) != 0)
            return;
        await FetchLock.ReleaseAsync(held);
        if (_outcome != FetchOutcome.NotShareable)
            await owner.SignalAsync(name, new FetchSignal(_outcome));
    }
}
