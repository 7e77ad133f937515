using System.Collections.Concurrent;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.Tokens.Revocations;

/// <summary>
/// How far issuers' clocks are ahead of that of Redis, as their tokens show it: a token that is seen before its <c>iat</c>.
/// What was issued until now has an <c>iat</c> until now by the issuer's clock, and revocations reckon in that.
/// </summary>
internal sealed class IssuerLeads(RedisConnection redis, RedisKeys keys, RedisClock clock, TimeProvider time)
{
    // An issuer that is ahead shows it with each of its tokens: it is written anew only in case Redis lost it.
    private static readonly TimeSpan WrittenFor = TimeSpan.FromMinutes(1);
    private static readonly RedisScript NoteScript = RedisScript.Load("Tokens/Revocations/lead.lua");

    private readonly ConcurrentDictionary<string, Written> _written = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes note of a token that is good now, before it is answered: a revocation from then on reaches it.</summary>
    /// <param name="scheme">Its scheme.</param>
    /// <param name="issuedAt">Its <c>iat</c>, in seconds since 1970.</param>
    public async ValueTask NoteAsync(TokenScheme scheme, long issuedAt)
    {
        var lead = issuedAt - clock.Now.ToUnixTimeSeconds();
        if (lead <= 0 || (_written.TryGetValue(scheme.Name, out var last) && last.Lead >= lead && time.GetElapsedTime(last.At) < WrittenFor))
            return;
        RedisKey[] scriptKeys = [keys.IssuerLead(scheme.Name)];
        RedisValue[] arguments = [lead, (long)(scheme.Options.MaxLifetime + (2 * scheme.Options.ClockSkew)).TotalMilliseconds];
        var reply = await redis.TryAsync(
            static (database, state) => NoteScript.EvaluateAsync(database, state.scriptKeys, state.arguments), (scriptKeys, arguments), CancellationToken.None);
        if (reply.TryGet(out _))
            _written[scheme.Name] = new Written(lead, time.GetTimestamp());
    }

    /// <summary>How far the issuer of a scheme is ahead, in seconds.</summary>
    /// <returns>Null when Redis did not answer.</returns>
    public async ValueTask<long?> FindAsync(TokenScheme scheme, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            static (database, key) => database.StringGetAsync(key), keys.IssuerLead(scheme.Name), cancellationToken);
        if (!reply.TryGet(out var lead))
            return null;
        return lead.TryParse(out long seconds) ? seconds : 0;
    }

    private readonly record struct Written(long Lead, long At);
}
