using System.Buffers.Binary;
using System.Security.Cryptography;
using Gateway.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.ShortLinks.Passwords;

/// <summary>What Redis says of a guess.</summary>
internal enum GuessVerdict
{
    /// <summary>Others run that may yet be wrong, as many as are left.</summary>
    Crowded = -2,

    /// <summary>There is no such link any more.</summary>
    NoLink = -1,

    /// <summary>Too many were wrong.</summary>
    Refused = 0,

    Admitted = 1,
}

/// <summary>Whether a password may be tried.</summary>
/// <param name="Verdict">Whether it may.</param>
/// <param name="RetryAfter">If not, when it may again.</param>
internal readonly record struct GuessDecision(GuessVerdict Verdict, TimeSpan RetryAfter);

/// <summary>
/// Wrong passwords of all nodes, per link and client and per link. The latter means that somebody with many addresses
/// can lock a link; without it he could guess on. Those that are being compared may be wrong too: together with the wrong
/// ones they are never more than allowed.
/// </summary>
internal sealed class PasswordGuesses(RedisConnection redis, RedisKeys keys, IOptionsMonitor<ShortLinksOptions> options)
{
    private const int MostOfAllClients = 200;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan UntilOthersEnd = TimeSpan.FromSeconds(1);
    private static readonly RedisScript GuessScript = RedisScript.Load("ShortLinks/Passwords/guess.lua");
    private static readonly RedisScript SettleScript = RedisScript.Load("ShortLinks/Passwords/settle.lua");

    /// <summary>Whether a guess would be admitted now; counts nothing.</summary>
    public ValueTask<RedisReply<GuessDecision>> AskAsync(string slug, ulong client, CancellationToken cancellationToken) =>
        GuessAsync(slug, client, count: false, cancellationToken);

    /// <summary>
    /// Counts a guess, which <see cref="SettleAsync"/> must end. Never tried again, and waited for though the client has
    /// left: what is counted must be ended. Without an answer, it may stand until the window ends.
    /// </summary>
    public ValueTask<RedisReply<GuessDecision>> TryChargeAsync(string slug, ulong client) =>
        GuessAsync(slug, client, count: true, CancellationToken.None);

    /// <summary>Ends a guess: a wrong one stays counted, a right one does not.</summary>
    public async ValueTask SettleAsync(string slug, ulong client, bool isRight)
    {
        RedisKey[] scriptKeys = [keys.ShortLinkGuesses(slug)];
        await redis.TryAsync(database => SettleScript.EvaluateAsync(database, scriptKeys, [Hash(client), isRight ? 0 : 1]), CancellationToken.None);
    }

    private async ValueTask<RedisReply<GuessDecision>> GuessAsync(string slug, ulong client, bool count, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ShortLink(slug), keys.ShortLinkGuesses(slug)];
        RedisValue[] arguments = [Hash(client), options.CurrentValue.PasswordAttempts, MostOfAllClients, (long)Window.TotalMilliseconds, count ? 1 : 0];
        var reply = await redis.TryAsync(database => GuessScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        if (!reply.TryGet(out var result))
            return default;
        var verdict = (GuessVerdict)(int)result[0];
        return new(new GuessDecision(
            verdict, verdict == GuessVerdict.Crowded ? UntilOthersEnd : TimeSpan.FromMilliseconds(Math.Max(1, (long)result[1]))));
    }

    // No address is seen in Redis.
    private static string Hash(ulong client)
    {
        var bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, client);
        return Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16));
    }
}
