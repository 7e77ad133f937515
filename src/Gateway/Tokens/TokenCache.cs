using Gateway.Redis;
using Microsoft.Extensions.Caching.Memory;
using StackExchange.Redis;

namespace Gateway.Tokens;

/// <summary>
/// Results of validations: accepted tokens in memory and Redis, refusals briefly in memory only and in a part of their
/// own, so that a flood of forged tokens evicts nothing good and reaches no other node.
/// </summary>
internal sealed class TokenCache(RedisConnection redis, RedisKeys keys, TimeProvider time) : IDisposable
{
    private const long AcceptedBytes = 64 * 1024 * 1024;
    private const long RefusedEntries = 20_000;
    private static readonly TimeSpan RefusalLifetime = TimeSpan.FromSeconds(10);

    private readonly MemoryCache _accepted = new(new MemoryCacheOptions { SizeLimit = AcceptedBytes });
    private readonly MemoryCache _refused = new(new MemoryCacheOptions { SizeLimit = RefusedEntries });

    /// <summary>A result this node has; whether it may still be used is the caller's question.</summary>
    public VerifiedToken? Find(string hash) => _accepted.Get<VerifiedToken>(hash);

    /// <summary>What another node found out, as it wrote it.</summary>
    public async ValueTask<RedisReply<byte[]?>> FindInRedisAsync(string hash)
    {
        var reply = await redis.TryAsync(
            static (database, key) => database.StringGetAsync(key), keys.VerifiedToken(hash), CancellationToken.None);
        return reply.TryGet(out var value) ? new(value) : default;
    }

    public void Store(string hash, VerifiedToken verified)
    {
        var left = verified.KeptUntil - time.GetUtcNow();
        if (left > TimeSpan.Zero)
            _accepted.Set(hash, verified, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = left, Size = verified.Size });
    }

    public async ValueTask StoreInRedisAsync(string hash, VerifiedToken verified)
    {
        var left = verified.KeptUntil - time.GetUtcNow();
        if (left < TimeSpan.FromMilliseconds(1))
            return;
        await redis.TryAsync(
            static (database, state) => database.StringSetAsync(state.Key, state.Value, state.left),
            (Key: keys.VerifiedToken(hash), Value: (RedisValue)verified.Serialize(), left),
            CancellationToken.None);
    }

    /// <summary>Why a token was refused a moment ago with the same keys.</summary>
    public TokenRefusal FindRefusal(string hash, KeySet? current) =>
        _refused.Get<Refused>(hash) is { } refused && ReferenceEquals(refused.Keys, current) ? refused.Refusal : TokenRefusal.None;

    /// <param name="hash">Of the token.</param>
    /// <param name="kind">Its scheme's.</param>
    /// <param name="refusal">Why it is refused.</param>
    /// <param name="keys">From before it was validated: with keys that came meanwhile it may pass.</param>
    public void StoreRefusal(string hash, TokenKind kind, TokenRefusal refusal, KeySet? keys)
    {
        _accepted.Remove(hash);
        if (refusal.IsLasting(kind))
            _refused.Set(hash, new Refused(refusal, keys), new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = RefusalLifetime, Size = 1 });
    }

    public void Dispose()
    {
        _accepted.Dispose();
        _refused.Dispose();
    }

    private sealed record Refused(TokenRefusal Refusal, KeySet? Keys);
}
