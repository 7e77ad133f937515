using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Redis;

/// <summary>
/// Every key and channel of the gateway, one member each. Kinds: a <b>cache</b> key can be lost at the price of work;
/// a <b>record</b> is lost for good with Redis unless a node writes it back; a <b>lock</b> ends by itself. Keys that one
/// script touches share a <c>{hash tag}</c>, so that everything works on Redis Cluster.
/// </summary>
internal sealed class RedisKeys
{
    private readonly string _prefix;

    public RedisKeys(IOptions<RedisOptions> options)
    {
        _prefix = options.Value.KeyPrefix;
        ChangeLogMeta = _prefix + "{changes}:meta";
        ChangeLogSelectors = _prefix + "{changes}:selectors";
        ChangeLogRecords = _prefix + "{changes}:records";
        Nodes = _prefix + "{changes}:nodes";
        NodesApplied = _prefix + "{changes}:applied";
        Revocations = _prefix + "{changes}:revocations";
        RevocationEnds = _prefix + "{changes}:revocation-ends";
        ChangeLogChannel = RedisChannel.Literal(_prefix + "changes");
    }

    /// <summary>Hash (epoch, head, floor) · no expiry · ChangeLog · record.</summary>
    public RedisKey ChangeLogMeta { get; }

    /// <summary>Sorted set selector → number, at most 100,000 · no expiry · ChangeLog · record.</summary>
    public RedisKey ChangeLogSelectors { get; }

    /// <summary>Sorted set record id → number, the last 10,000 · no expiry · ChangeLog · record.</summary>
    public RedisKey ChangeLogRecords { get; }

    /// <summary>Sorted set node → Redis time of its last poll in ms; members older than a minute are removed · ChangeLog · cache.</summary>
    public RedisKey Nodes { get; }

    /// <summary>Hash node → "epoch number" that it had applied at its last poll; follows <see cref="Nodes"/> · ChangeLog · cache.</summary>
    public RedisKey NodesApplied { get; }

    /// <summary>Channel that hints at a new record; the message is empty of meaning.</summary>
    public RedisChannel ChangeLogChannel { get; }

    /// <summary>
    /// A counter, by what <paramref name="counter"/> begins with: <c>f:</c> fixed window and <c>t:</c> total, a string · until
    /// the window or the date ends; <c>s:</c> sliding window, a hash part → permits · 1.01 windows; <c>b:</c> token bucket, a
    /// hash · until it is full; <c>c:</c> concurrency, a sorted set permit → end · 6 s, renewed while requests run ·
    /// RateLimiting · record. For policies whose limits all count the same clients.
    /// </summary>
    /// <param name="identity">A hash: never what the client sent.</param>
    public RedisKey RateLimitOfClient(string policy, string identity, string counter) => $"{_prefix}limit:{{{policy}:{identity}}}:{counter}";

    /// <summary>As <see cref="RateLimitOfClient"/>, for policies whose limits count different clients: one slot for all of the policy's counters.</summary>
    public RedisKey RateLimitOfPolicy(string policy, string identity, string counter) => $"{_prefix}limit:{{{policy}}}:{identity}:{counter}";

    /// <summary>
    /// Which counter of a name it is, a string: nodes lease permits of it, and give none back to the one that follows it after
    /// a reset · as long as the counter · RateLimiting · record.
    /// </summary>
    /// <param name="counter">What <see cref="RateLimitOfClient"/> or <see cref="RateLimitOfPolicy"/> made.</param>
    public static RedisKey LeaseOf(string counter) => counter + ":lease";

    /// <summary>Hash id → "end entry", and a version; at most 10,000 · no expiry, ended entries are removed by edits · RateLimiting · record; nodes write it back.</summary>
    public RedisKey RateLimitLists => _prefix + "limit-lists";

    /// <summary>Sorted set "policy:limit:identity" → rejections, at most 11,000 · 2 h · RateLimiting · record.</summary>
    /// <param name="hour">The hour in digits.</param>
    public RedisKey LimitedClients(string hour) => $"{_prefix}limited:{hour}";

    /// <summary>What the output cache store's own keys begin with: strings <c>__MSOCV_…</c>, retention as expiry · Caching · cache.</summary>
    public string StoredResponsePrefix => _prefix + "response:";

    /// <summary>String, RedLock.net's id of the lock · 2 s, extended while the fetch runs · Caching (RedLock.net) · lock.</summary>
    /// <param name="hash">A hash of the cache key.</param>
    public RedisKey FetchLock(string hash) => $"{_prefix}lock:{hash}";

    /// <summary>Channel on which the holder of a fetch lock says how the fetch went.</summary>
    public RedisChannel FetchSignalChannel => RedisChannel.Literal(_prefix + "fetch");

    /// <summary>Hash, a link · no expiry · ShortLinks · record.</summary>
    public RedisKey ShortLink(string slug) => $"{_prefix}link:{{{slug}}}";

    /// <summary>String, a counter · no expiry, ends with its link · ShortLinks · record.</summary>
    public RedisKey ShortLinkVisits(string slug) => $"{_prefix}link:{{{slug}}}:visits";

    /// <summary>Hash node → "number time" of the last batch of visits it sent · 1 day since the last, ends with its link · ShortLinks · record.</summary>
    public RedisKey ShortLinkBatches(string slug) => $"{_prefix}link:{{{slug}}}:batches";

    /// <summary>Hash (visits of the last 400 days, of 100 referring hosts) · no expiry, ends with its link · ShortLinks · record.</summary>
    public RedisKey ShortLinkStatistics(string slug) => $"{_prefix}link:{{{slug}}}:statistics";

    /// <summary>Hash client (hashed) → wrong passwords, at most 201 · 15 minutes, ends with its link · ShortLinks · record.</summary>
    public RedisKey ShortLinkGuesses(string slug) => $"{_prefix}link:{{{slug}}}:guesses";

    /// <summary>Sorted set of slugs, all of score 0, read by prefix · no expiry · ShortLinks · record.</summary>
    public RedisKey ShortLinkIndex => _prefix + "links";

    /// <summary>Sorted set of the slugs of a tag, all of score 0 · no expiry, ends with its last link · ShortLinks · record.</summary>
    public RedisKey ShortLinkTag(string tag) => $"{_prefix}link-tag:{tag}";

    /// <summary>Sorted set slug → visits, at most 11,000 · an hour's 2 h, a day's 2 days, <c>all</c> no expiry · ShortLinks · record.</summary>
    /// <param name="period">The hour or day in digits, or <c>all</c>.</param>
    public RedisKey ShortLinkRanking(string period) => $"{_prefix}{{link-ranking}}:{period}";

    /// <summary>String, the slug made for an <c>Idempotency-Key</c>, which is hashed · 1 day · ShortLinks · record.</summary>
    public RedisKey ShortLinkRequest(string keyHash) => $"{_prefix}link-request:{keyHash}";

    /// <summary>String, "moves destination" · the affinity expiry, extended by use · Sessions · record; clients' cookies and nodes write it back.</summary>
    /// <param name="sessionId">Random, or a hash: never what the client sent.</param>
    public RedisKey Affinity(string sessionId) => $"{_prefix}affinity:{sessionId}";

    /// <summary>Hash (data, protected by DataProtection; created, seen, window, ends in ms) · its window, moved by use, and at most the absolute timeout · Sessions · record.</summary>
    /// <param name="subject">A hash of whose session it is, or of the session alone: all of a subject's keys share a slot.</param>
    /// <param name="session">SHA-256 of the session's id, which is not in Redis.</param>
    public RedisKey Session(string subject, string session) => $"{_prefix}session:{{{subject}}}:{session}";

    /// <summary>Sorted set "created:session" → end in ms, at most 100: a session that is not in it has ended · until the absolute end of the last one · Sessions · record.</summary>
    public RedisKey SessionsOfSubject(string subject) => $"{_prefix}sessions:{{{subject}}}";

    /// <summary>Hash "cluster/destination", escaped, and a version · no expiry · Sessions · record; nodes write it back.</summary>
    public RedisKey DrainedDestinations => _prefix + "drains";

    /// <summary>Hash name → XML, encrypted where configured · no expiry · Sessions · record; nodes write it back.</summary>
    public RedisKey DataProtectionKeys => _prefix + "keys";

    /// <summary>String, JSON: what a validated token says, never the token · until it expires or <c>CacheDuration</c> is over · Tokens · cache.</summary>
    /// <param name="hash">SHA-256 of the scheme's rules and the token.</param>
    public RedisKey VerifiedToken(string hash) => $"{_prefix}token:2:{{{hash}}}";

    /// <summary>String, whose turn it is to ask the provider about a token · the provider's <c>Timeout</c> and 1 s · Tokens · lock.</summary>
    /// <param name="hash">As for <see cref="VerifiedToken"/>.</param>
    public RedisKey IntrospectionLock(string hash) => $"{_prefix}token:2:{{{hash}}}:turn";

    /// <summary>Hash id → JSON, an API key without the key, at most 100,000 · no expiry, ended ones make room · Tokens · record.</summary>
    public RedisKey ApiKeys => _prefix + "{api-keys}";

    /// <summary>Sorted set id → end in ms, by which <see cref="ApiKeys"/> is listed and trimmed · as that · Tokens · record.</summary>
    public RedisKey ApiKeyEnds => _prefix + "{api-keys}:ends";

    /// <summary>Hash id → "issued before:end", at most 100,000 · until the last one ends · Tokens · record, written back by nodes that know it.</summary>
    /// <remarks>In the slot of the change log, so that no failover loses revocations without the log being lost too.</remarks>
    public RedisKey Revocations { get; }

    /// <summary>Sorted set id → end in seconds, by which <see cref="Revocations"/> is trimmed · as that · Tokens · record.</summary>
    public RedisKey RevocationEnds { get; }

    /// <summary>String, by how many seconds a scheme's issuer is ahead, while it is · the scheme's <c>MaxLifetime</c> · Tokens · record.</summary>
    public RedisKey IssuerLead(string scheme) => $"{_prefix}issuer-lead:{scheme.ToLowerInvariant()}";
}
