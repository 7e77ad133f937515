using System.Buffers;
using System.Runtime.CompilerServices;
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
    private const int Names = 256;

    private readonly KnownName?[] _names = new KnownName?[Names];
    private readonly RedisConnection _redis;
    private readonly long _maxBodySize;
    private readonly ServiceProvider _services;
    private readonly IOutputCacheBufferStore _store;

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
        // Takes a part of an array, where the plain interface would want a copy.
        _store = (IOutputCacheBufferStore)_services.GetRequiredService<IOutputCacheStore>();
    }

    /// <returns>The entry; null when there is none, it cannot be read, or Redis did not answer.</returns>
    public async ValueTask<StoredEntry?> GetAsync(string key, CancellationToken cancellationToken)
    {
        if (!_redis.IsAvailable)
            return null;
        var reply = await _redis.TryAsync(
            static (_, state) => state.Store.GetAsync(state.Name, CancellationToken.None).AsTask(),
            (Store: _store, Name: NameOf(key)),
            cancellationToken);
        return reply.TryGet(out var bytes) && bytes is not null ? StoredEntryFormat.Read(key, bytes) : null;
    }

    /// <summary>Stores a response, unless its body is larger than what Redis is to hold.</summary>
    /// <param name="retention">How long it is worth keeping: longer than it is fresh.</param>
    /// <returns>Whether Redis acknowledged it.</returns>
    public ValueTask<bool> SetAsync(string key, StoredResponse response, TimeSpan retention, CancellationToken cancellationToken) =>
        Takes(response) ? SetAsync(key, StoredEntryFormat.Write(key, response), retention, cancellationToken) : new(false);

    /// <summary>Stores an index, unless the response in it is larger than what Redis is to hold.</summary>
    /// <param name="latest">The response of its first variant, if that is to stand in it.</param>
    /// <inheritdoc cref="SetAsync(string, StoredResponse, TimeSpan, CancellationToken)"/>
    public ValueTask<bool> SetAsync(string key, VaryIndex index, StoredResponse? latest, TimeSpan retention, CancellationToken cancellationToken) =>
        Takes(latest) ? SetAsync(key, StoredEntryFormat.Write(key, index, latest), retention, cancellationToken) : new(false);

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    // What is stored in doubt of the change log says nothing to other nodes.
    private bool Takes(StoredResponse? response) =>
        _redis.IsAvailable && (response is null || (response.Body.Length <= _maxBodySize && response.Stamp.Epoch > 0));

    private async ValueTask<bool> SetAsync(string key, ArraySegment<byte> bytes, TimeSpan retention, CancellationToken cancellationToken)
    {
        var reply = await _redis.TryAsync(
            static async (_, state) =>
            {
                await state.Store.SetAsync(state.Name, new ReadOnlySequence<byte>(state.Bytes.Array!, 0, state.Bytes.Count), tags: default, state.Retention, CancellationToken.None);
                return true;
            },
            (Store: _store, Name: NameOf(key), Bytes: bytes, Retention: retention),
            cancellationToken);
        // Without an answer they may still be on their way.
        if (reply.IsAnswered)
            ArrayPool<byte>.Shared.Return(bytes.Array!);
        return reply.IsAnswered;
    }

    // What is looked for in vain is stored a moment later.
    private string NameOf(string key)
    {
        ref var place = ref _names[(uint)RuntimeHelpers.GetHashCode(key) % Names];
        if (Volatile.Read(ref place) is { } known && ReferenceEquals(known.Key, key))
            return known.Name;
        var name = CacheKey.Hash(key);
        Volatile.Write(ref place, new KnownName(key, name));
        return name;
    }

    private sealed record KnownName(string Key, string Name);
}
