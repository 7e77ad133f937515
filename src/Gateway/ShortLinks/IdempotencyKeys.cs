using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ShortLinks;

/// <summary>Which slug was made for which <c>Idempotency-Key</c>, for a day.</summary>
internal sealed class IdempotencyKeys(RedisConnection redis, RedisKeys keys)
{
    private static readonly TimeSpan RememberFor = TimeSpan.FromDays(1);
    private static readonly RedisScript UnbindScript = RedisScript.Load("ShortLinks/unbind.lua");

    /// <summary>What is kept with a link of how it was asked for: by this it is known again.</summary>
    public static string Format(string keyHash, string contentHash) => $"{keyHash}:{contentHash}";

    /// <summary>The hashed key with which a link was asked for, from what <see cref="Format"/> made; null: without one.</summary>
    public static string? KeyHashOf(string? request) =>
        request?.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? request[..colon] : null;

    /// <summary>Binds a slug to a key, unless one was bound before.</summary>
    /// <returns>The slug that is bound.</returns>
    public async ValueTask<RedisReply<string>> BindAsync(string keyHash, string slug, CancellationToken cancellationToken)
    {
        var key = keys.ShortLinkRequest(keyHash);
        var bound = await redis.TryAsync(database => database.StringSetAsync(key, slug, RememberFor, When.NotExists), cancellationToken);
        if (!bound.TryGet(out var isNew))
            return default;
        if (isNew)
            return new(slug);
        var earlier = await redis.TryAsync(database => database.StringGetAsync(key), cancellationToken);
        return earlier.TryGet(out var value) ? new(value.IsNullOrEmpty ? slug : (string)value!) : default;
    }

    /// <summary>Forgets a key, unless it is bound to another slug than <paramref name="slug"/> by now.</summary>
    public async ValueTask UnbindAsync(string keyHash, string slug, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ShortLinkRequest(keyHash)];
        await redis.TryAsync(database => UnbindScript.EvaluateAsync(database, scriptKeys, [slug]), cancellationToken);
    }
}
