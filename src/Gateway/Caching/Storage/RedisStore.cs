using Gateway.Caching.Keys;
using Gateway.Redis;
using Microsoft.AspNetCore.OutputCaching;
using StackExchange.Redis;

namespace Gateway.Caching.Storage;

/// <summary>
/// Entries in Redis, shared by all nodes, through ASP.NET Core's Redis output cache store. Tags are not given to that
/// store: its index is written without waiting and cannot be relied on; the change log does that work.
/// </summary>
internal sealed class RedisStore : IAsyncDisposable
{
    private readonly RedisConnection _redis;
    private readonly long _maxBodySize;
    private readonly ServiceProvider _services;
    private readonly IOutputCacheStore _store;

    public RedisStore(RedisConnection redis, RedisKeys keys, long maxBodySize)
    {
        _redis = redis;
        _maxBodySize = maxBodySize;
        // The store's type is internal to its package: a container of its own is the way to get one.
        _services = new ServiceCollection()
            .AddStackExchangeRedisOutputCache(options =>
            {
                options.InstanceName = keys.StoredResponsePrefix;
                options.ConnectionMultiplexerFactory = async () => (IConnectionMultiplexer)await redis.ConnectAsync();
            })
            .BuildServiceProvider();
        _store = _services.GetRequiredService<IOutputCacheStore>();
    }

    /// <returns>The entry; null when there is none, it cannot be read, or Redis did not answer.</returns>
    public async ValueTask<StoredEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        if (!_redis.IsAvailable)
            return null;
        var name = CacheKey.Hash(key);
        var reply = await _redis.TryAsync(
            static (_, state) => state.Store.GetAsync(state.Name, CancellationToken.None).AsTask(),
            (Store: _store, Name: name),
            cancellationToken);
        return reply.TryGet(out var bytes) && bytes is not null ? StoredEntryFormat.Read(key, bytes) : null;
    }

    /// <summary>Stores an entry, unless its body is larger than what Redis is to hold.</summary>
    /// <param name="retention">How long it is worth keeping: longer than it is fresh.</param>
    /// <returns>Whether Redis acknowledged it.</returns>
    public async ValueTask<bool> SetAsync(string key, StoredEntry entry, TimeSpan retention, CancellationToken cancellationToken)
    {
        if (!_redis.IsAvailable || entry is StoredResponse response && response.Body.Length > _maxBodySize)
            return false;
        var reply = await _redis.TryAsync(
            static async (_, state) =>
            {
                await state.Store.SetAsync(state.Name, state.Bytes, tags: null, state.Retention, CancellationToken.None);
                return true;
            },
            (Store: _store, Name: CacheKey.Hash(key), Bytes: StoredEntryFormat.Write(key, entry), Retention: retention),
            cancellationToken);
        return reply.IsAnswered;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
