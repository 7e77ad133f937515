using System.Globalization;
using Gateway.Redis;
using Microsoft.Extensions.Options;
using RedLockNet;
using RedLockNet.SERedis;
using RedLockNet.SERedis.Configuration;
using StackExchange.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Locks among nodes by RedLock.net: held is what a majority of independent servers (<c>Redis:LockEndpoints</c>, absent the
/// main one) granted for <see cref="Expiry"/>, and what it extends until it is disposed. It reaches each server through a
/// <see cref="LockDatabase"/>, so that it waits for Redis on no thread, and for no longer than the deadline.
/// </summary>
internal sealed class NodeLocks : IHostedService, IDisposable
{
    /// <summary>
    /// How long a lock lasts that nobody extends or gives back, because its node died. With the last recheck of those who
    /// wait, a killed node holds them up for three seconds at most.
    /// </summary>
    public static readonly TimeSpan Expiry = TimeSpan.FromSeconds(2);

    private readonly RedisConnection[] _servers;
    private readonly bool _ownsServers;
    private readonly RedisKeys _keys;
    private readonly RedLockFactory _factory;

    public NodeLocks(
        RedisConnection main, RedisKeys keys, IOptions<RedisOptions> options, RedisMetrics metrics, TimeProvider time, ILogger<NodeLocks> logger)
    {
        _ownsServers = options.Value.LockEndpoints.Count > 0;
        _servers = _ownsServers
            ? [.. options.Value.LockEndpoints.Select((endpoint, i) => new RedisConnection(
                $"lock-{i.ToString(CultureInfo.InvariantCulture)}", ConfigurationOptions.Parse(endpoint), options.Value.Deadline, time, metrics, logger))]
            : [main];
        _keys = keys;
        // The key is given whole, as the resource: a prefix with braces would be no valid format. One attempt: RedLock.net's
        // own retries poll, and those who lose wait for the signal instead.
        _factory = RedLockFactory.Create(
            [.. _servers.Select(static server => new RedLockMultiplexer(LockMultiplexer.Over(server)) { RedisKeyFormat = "{0}" })],
            new RedLockRetryConfiguration(retryCount: 1));
    }

    /// <summary>Whether enough servers answer for a lock to be granted.</summary>
    public bool IsAvailable => _servers.Count(server => server.IsAvailable) >= Majority;

    private int Majority => (_servers.Length / 2) + 1;

    /// <summary>Makes one attempt.</summary>
    /// <param name="name">What to lock.</param>
    public async Task<LockAttempt> TryAcquireAsync(string name)
    {
        var attempt = await _factory.CreateLockAsync(_keys.FetchLock(name).ToString(), Expiry);
        if (attempt.IsAcquired)
            return new LockAttempt(attempt, HasFailed: false);
        var hasFailed = attempt.Status == RedLockStatus.NoQuorum;
        // RedLock.net gave back what was granted in vain or too late.
        await attempt.DisposeAsync();
        return new LockAttempt(null, hasFailed);
    }

    /// <summary>Whether a majority of the servers knows a holder of the lock; null where too few answer.</summary>
    public async ValueTask<bool?> IsHeldAsync(string name, CancellationToken cancellationToken)
    {
        var key = _keys.FetchLock(name);
        var replies = await Task.WhenAll(_servers.Select(server => server.TryAsync(
            static (database, key) => database.KeyExistsAsync(key), key, cancellationToken).AsTask()));
        return replies.Count(reply => reply.IsAnswered) < Majority ? null : replies.Count(reply => reply.TryGet(out var exists) && exists) >= Majority;
    }

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_ownsServers)
            await Task.WhenAll(_servers.Select(server => server.StartAsync(cancellationToken)));
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_ownsServers)
            await Task.WhenAll(_servers.Select(server => server.DisposeAsync().AsTask()));
    }

    /// <inheritdoc/>
    public void Dispose() => _factory.Dispose();
}

/// <summary>What came of an attempt to take a lock.</summary>
/// <param name="Held">The lock, which its disposal gives back; null where it was not granted.</param>
/// <param name="HasFailed">Whether too few servers said anything: they did not answer in time, or refuse writes. Else another holds it.</param>
internal readonly record struct LockAttempt(IRedLock? Held, bool HasFailed);
