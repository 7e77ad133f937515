using System.Buffers.Binary;
using System.Security.Cryptography;
using Gateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.ShortLinks.Passwords;

/// <summary>Whether a password may be tried.</summary>
/// <param name="IsAdmitted">Whether it may.</param>
/// <param name="RetryAfter">If not, when it may again.</param>
internal readonly record struct GuessDecision(bool IsAdmitted, TimeSpan RetryAfter);

/// <summary>
/// Wrong passwords of all nodes, per link and client and per link. The latter means that somebody with many addresses
/// can lock a link; without it he could guess on.
/// </summary>
internal sealed class PasswordGuesses(RedisConnection redis, RedisKeys keys, IOptionsMonitor<ShortLinksOptions> options)
{
    private const int MostOfAllClients = 200;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(15);
    private static readonly RedisScript GuessScript = RedisScript.Load("ShortLinks/Passwords/guess.lua");
    private static readonly RedisScript RefundScript = RedisScript.Load("ShortLinks/Passwords/refund.lua");

    /// <summary>Counts a guess, which a right one takes back. Never tried again.</summary>
    public async ValueTask<RedisReply<GuessDecision>> TryChargeAsync(string slug, ulong client, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ShortLink(slug), keys.ShortLinkGuesses(slug)];
        RedisValue[] arguments = [Hash(client), options.CurrentValue.PasswordAttempts, MostOfAllClients, (long)Window.TotalMilliseconds];
        var reply = await redis.TryAsync(database => GuessScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        return reply.TryGet(out var result)
            ? new(new GuessDecision((int)result[0] != 0, TimeSpan.FromMilliseconds(Math.Max(1, (long)result[1]))))
            : default;
    }

    public async ValueTask RefundAsync(string slug, ulong client, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ShortLinkGuesses(slug)];
        await redis.TryAsync(database => RefundScript.EvaluateAsync(database, scriptKeys, [Hash(client)]), cancellationToken);
    }

    // No address is seen in Redis.
    private static string Hash(ulong client)
    {
        var bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, client);
        return Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16));
    }
}
