using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Caching.Keys;
using Gateway.Caching.Storage;
using Gateway.Redis;
using Microsoft.Extensions.Options;
using RedLockNet;
using RedLockNet.SERedis;
using RedLockNet.SERedis.Configuration;
using StackExchange.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>
/// One fetch of a key among all nodes: a RedLock, and a signal that spares waiting nodes the polling. It saves the
/// origin work and decides nothing about correctness: without it, or with it lost, nodes fetch for themselves.
/// </summary>
internal sealed class FetchLock : IAsyncDisposable
{
    // With the last recheck: how long a killed node holds up those who wait for it, which is to be three seconds at most.
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan FirstRecheck = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastRecheck = TimeSpan.FromMilliseconds(400);

    private readonly RedisConnection _redis;
    private readonly RedisKeys _keys;
    private readonly TimeSpan _deadline;
    private readonly IReadOnlyList<string> _endpoints;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, Waiters> _waiters = new(StringComparer.Ordinal);
    private readonly List<ConnectionMultiplexer> _quorum = [];
    private readonly SemaphoreSlim _starting = new(1);
    private RedLockFactory? _factory;

    public FetchLock(RedisConnection redis, RedisKeys keys, IOptions<RedisOptions> options, TimeProvider time)
    {
        _redis = redis;
        _keys = keys;
        _deadline = options.Value.Deadline;
        _endpoints = [.. options.Value.LockEndpoints];
        _time = time;
    }

    public bool IsAvailable => _redis.IsAvailable;

    /// <summary>Enters the fetch of a key: to make it, or with what another node's fetch brought.</summary>
    /// <param name="readAgain">Looks in Redis for a response that can be reused.</param>
    /// <param name="limit">How long to wait for another node.</param>
    public async Task<NodeFetch> EnterAsync(
        string key, Func<ValueTask<StoredResponse?>> readAgain, TimeSpan limit, CancellationToken cancellationToken)
    {
        var name = CacheKey.Hash(key);
        var started = _time.GetTimestamp();
        // Registered before the attempt: a signal between a lost attempt and the wait must not be missed.
        using var waiter = Register(name);
        for (var recheck = FirstRecheck; ; recheck = recheck < LastRecheck ? recheck * 2 : LastRecheck)
        {
            var held = await TryLockAsync(name);
            // The winner looks again too: another's fetch may have ended between its look-up and its lock.
            if (await readAgain() is { } found)
            {
                await ReleaseAsync(held);
                return new NodeFetch(found, null);
            }

            if (held is not null)
                return new NodeFetch(null, new HeldFetchLock(this, name, held));
            if (!IsAvailable || _time.GetElapsedTime(started) > limit)
                return NodeFetch.Alone;
            if (await waiter.WaitAsync(recheck, _time, cancellationToken) == FetchOutcome.NotShareable)
                return NodeFetch.Alone;
        }
    }

    /// <summary>Whether a node holds the lock of a key; null where that is not known: Redis does not answer, or the locks are on a quorum of their own.</summary>
    public async ValueTask<bool?> IsHeldAsync(string key, CancellationToken cancellationToken)
    {
        if (_endpoints.Count > 0)
            return null;
        var name = string.Format(CultureInfo.InvariantCulture, _keys.FetchLockFormat, CacheKey.Hash(key));
        var reply = await _redis.TryAsync(static (database, name) => database.KeyExistsAsync(name), name, cancellationToken);
        return reply.TryGet(out var isHeld) ? isHeld : null;
    }

    public async ValueTask DisposeAsync()
    {
        _factory?.Dispose();
        foreach (var connection in _quorum)
            await connection.DisposeAsync();
        _starting.Dispose();
    }

    internal async Task SignalAsync(string name, FetchOutcome outcome) =>
        await _redis.TryAsync(
            static (database, state) => database.PublishAsync(state.Channel, state.Message),
            (Channel: _keys.FetchSignalChannel, Message: $"{name}:{(int)outcome}"),
            CancellationToken.None);

    internal static async Task ReleaseAsync(IRedLock? held)
    {
        if (held is not null)
            await held.DisposeAsync();
    }

    // RedLock.net goes past RedisConnection: the deadline is kept here, and a lock that comes later is given back.
    private async Task<IRedLock?> TryLockAsync(string name)
    {
        if (!IsAvailable)
            return null;
        var attempt = AttemptAsync(name);
        try
        {
            return await attempt.WaitAsync(_deadline, _time);
        }
        catch (Exception exception) when (exception is TimeoutException or RedisException)
        {
            _ = GiveBackAsync(attempt);
            return null;
        }
    }

    private async Task<IRedLock?> AttemptAsync(string name)
    {
        var factory = _factory ?? await StartAsync();
        var attempt = await factory.CreateLockAsync(name, Expiry);
        if (attempt.IsAcquired)
            return attempt;
        await attempt.DisposeAsync();
        return null;
    }

    private static async Task GiveBackAsync(Task<IRedLock?> attempt)
    {
        try
        {
            await ReleaseAsync(await attempt);
        }
        catch (RedisException)
        {
            // What was not acquired needs no release, and what was expires.
        }
    }

    private async Task<RedLockFactory> StartAsync()
    {
        await _starting.WaitAsync();
        try
        {
            if (_factory is not null)
                return _factory;
            await _redis.SubscribeAsync(_keys.FetchSignalChannel, OnSignal);
            foreach (var endpoint in _endpoints)
                _quorum.Add(await ConnectionMultiplexer.ConnectAsync($"{endpoint},abortConnect=false"));
            var connections = _quorum.Count > 0 ? _quorum : [await _redis.ConnectAsync()];
            // One attempt: RedLock.net's own retries poll, and those who lose wait for the signal instead.
            return _factory = RedLockFactory.Create(
                [.. connections.Select(connection => new RedLockMultiplexer(connection) { RedisKeyFormat = _keys.FetchLockFormat })],
                new RedLockRetryConfiguration(retryCount: 1));
        }
        finally
        {
            _starting.Release();
        }
    }

    private void OnSignal(RedisValue message)
    {
        var text = (string?)message ?? "";
        var end = text.LastIndexOf(':');
        if (end > 0 && _waiters.TryGetValue(text[..end], out var waiters) && Enum.TryParse<FetchOutcome>(text[(end + 1)..], out var outcome))
            waiters.Signal(outcome);
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
        private TaskCompletionSource<FetchOutcome> _signal = New();
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

        public void Signal(FetchOutcome outcome)
        {
            lock (_gate)
            {
                _signal.TrySetResult(outcome);
                _signal = New();
            }
        }

        private static TaskCompletionSource<FetchOutcome> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

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
            private Task<FetchOutcome> _next = waiters._signal.Task;

            /// <returns>The signal, or null when <paramref name="limit"/> passed without one.</returns>
            public async Task<FetchOutcome?> WaitAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
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
                    return null;
                }
            }

            public void Dispose() => waiters.Leave();
        }
    }
}

/// <summary>What came of <see cref="FetchLock.EnterAsync"/>: a response another node fetched, the lock, or neither: then the caller fetches without it.</summary>
internal readonly record struct NodeFetch(StoredResponse? Found, HeldFetchLock? Lock)
{
    public static NodeFetch Alone => default;
}

/// <summary>The lock, held: it is extended until it is released, which its holder does when its fetch ends, however it ends.</summary>
internal sealed class HeldFetchLock(FetchLock owner, string name, IRedLock held) : IAsyncDisposable
{
    private FetchOutcome _outcome = FetchOutcome.Failed;

    /// <summary>Tells other nodes at once that they cannot use the response; a stored one they are told of at the release.</summary>
    public async Task FollowAsync(SharedFetch fetch)
    {
        _outcome = (await fetch.Completion).Outcome;
        if (_outcome == FetchOutcome.NotShareable)
            await owner.SignalAsync(name, _outcome);
    }

    public async ValueTask DisposeAsync()
    {
        await FetchLock.ReleaseAsync(held);
        if (_outcome != FetchOutcome.NotShareable)
            await owner.SignalAsync(name, _outcome);
    }
}
