using System.Collections.Concurrent;
using System.Globalization;
using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Locks among nodes by the Redlock algorithm: held is what a majority of independent servers
/// (<c>Redis:LockEndpoints</c>, absent the main one) granted for <see cref="Expiry"/>. One loop extends all that are held,
/// and waits for Redis on no thread.
/// </summary>
internal sealed class NodeLocks : BackgroundService
{
    /// <summary>
    /// How long a lock lasts that nobody extends or gives back, because its node died. With the last recheck of those who
    /// wait, a killed node holds them up for three seconds at most.
    /// </summary>
    public static readonly TimeSpan Expiry = TimeSpan.FromSeconds(2.5);

    private const int CallsAtOnce = 64;
    private static readonly TimeSpan ExtendInterval = TimeSpan.FromSeconds(1);
    private static readonly RedisScript ExtendScript = RedisScript.Load("Caching/Fetch/extend.lua");
    private static readonly RedisScript ReleaseScript = RedisScript.Load("Caching/Fetch/release.lua");

    private readonly ConcurrentDictionary<string, NodeLock> _held = new(StringComparer.Ordinal);
    private readonly RedisConnection[] _servers;
    private readonly bool _ownsServers;
    private readonly RedisKeys _keys;
    private readonly NodeIdentity _node;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private long _count;

    public NodeLocks(
        RedisConnection main, RedisKeys keys, IOptions<RedisOptions> options, RedisMetrics metrics, NodeIdentity node, TimeProvider time, ILogger<NodeLocks> logger)
    {
        _ownsServers = options.Value.LockEndpoints.Count > 0;
        _servers = _ownsServers
            ? [.. options.Value.LockEndpoints.Select((endpoint, i) => new RedisConnection(
                $"lock-{i.ToString(CultureInfo.InvariantCulture)}", ConfigurationOptions.Parse(endpoint), options.Value.Deadline, time, metrics, logger))]
            : [main];
        (_keys, _node, _time, _logger) = (keys, node, time, logger);
    }

    /// <summary>Whether enough servers answer for a lock to be granted.</summary>
    public bool IsAvailable => _servers.Count(server => server.IsAvailable) >= Majority;

    private int Majority => (_servers.Length / 2) + 1;

    /// <summary>Makes one attempt.</summary>
    /// <param name="name">What to lock.</param>
    /// <returns>The lock; null where another holds it, or too few servers answered.</returns>
    public async Task<NodeLock?> TryAcquireAsync(string name)
    {
        var attempt = new NodeLock(
            _keys.FetchLock(name), string.Create(CultureInfo.InvariantCulture, $"{_node.Id}-{Interlocked.Increment(ref _count)}"), _time.GetTimestamp());
        var replies = _servers.Length == 1
            ? [await SetAsync(_servers[0], attempt)]
            : await Task.WhenAll(_servers.Select(server => SetAsync(server, attempt)));
        if (replies.Count(reply => reply.TryGet(out var isGranted) && isGranted) >= Majority && _time.GetElapsedTime(attempt.Since) < Expiry)
        {
            _held[attempt.Token] = attempt;
            return attempt;
        }

        // What was granted in vain is given back, and what may have been: nobody waits for that.
        for (var i = 0; i < _servers.Length; i++)
        {
            if (!replies[i].TryGet(out var isGranted) || isGranted)
                _ = ReleaseAsync(_servers[i], attempt);
        }

        return null;
    }

    /// <summary>Gives a lock back. Servers that do not answer let it expire.</summary>
    public async ValueTask ReleaseAsync(NodeLock held)
    {
        _held.TryRemove(held.Token, out _);
        if (_servers.Length == 1)
            await ReleaseAsync(_servers[0], held);
        else
            await Task.WhenAll(_servers.Select(server => ReleaseAsync(server, held)));
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
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_ownsServers)
            await Task.WhenAll(_servers.Select(server => server.StartAsync(cancellationToken)));
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_ownsServers)
            await Task.WhenAll(_servers.Select(server => server.DisposeAsync().AsTask()));
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(ExtendInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await ExtendSafelyAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops, and with it its fetches.
        }
    }

    private async Task ExtendSafelyAsync(CancellationToken stoppingToken)
    {
        try
        {
            // Younger ones last until the next round.
            var due = _held.Values.Where(held => _time.GetElapsedTime(held.Since) >= ExtendInterval);
            foreach (var held in due.SelectMany(held => _servers, (held, server) => (held, server)).Chunk(CallsAtOnce))
                await Task.WhenAll(held.Select(pair => ExtendAsync(pair.server, pair.held, stoppingToken)));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // A loop that ended would let the lock of every slow fetch expire.
            HttpCacheLog.ExtensionFailed(_logger, exception);
        }
    }

    private static async Task<RedisReply<bool>> SetAsync(RedisConnection server, NodeLock attempt) => await server.TryAsync(
        static (database, attempt) => database.StringSetAsync(attempt.Key, attempt.Token, Expiry, When.NotExists, CommandFlags.DemandMaster),
        attempt,
        CancellationToken.None);

    private static async Task ReleaseAsync(RedisConnection server, NodeLock held) => await server.TryAsync(
        static (database, held) => ReleaseScript.EvaluateAsync(database, [held.Key], [held.Token]), held, CancellationToken.None);

    private static async Task ExtendAsync(RedisConnection server, NodeLock held, CancellationToken stoppingToken) => await server.TryAsync(
        static (database, held) => ExtendScript.EvaluateAsync(database, [held.Key], [held.Token, (long)Expiry.TotalMilliseconds]), held, stoppingToken);
}

/// <summary>A lock of this node.</summary>
/// <param name="Key">Its key on each server.</param>
/// <param name="Token">What only its holder knows, so that nobody gives another's lock back.</param>
/// <param name="Since">When it was asked for.</param>
internal sealed record NodeLock(RedisKey Key, string Token, long Since);
