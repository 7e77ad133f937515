using System.ComponentModel.DataAnnotations;
using Gateway.Caching.Semantics;

namespace Gateway.Caching;

/// <summary>The shared HTTP cache: its stores, and the policies that routes name by <c>OutputCachePolicy</c>.</summary>
public sealed class HttpCacheOptions
{
    /// <summary>The configuration section, <c>OutputCache</c>.</summary>
    public const string SectionName = "OutputCache";

    /// <summary>
    /// A StackExchange.Redis configuration string of the server for stored responses (use <c>maxmemory-policy
    /// allkeys-lfu</c>). Default: the server of <c>Redis:Configuration</c>, on a connection of its own. A change needs a restart.
    /// </summary>
    public string? Redis { get; set; }

    /// <summary>What stored responses may take in this process, in bytes, fields and bookkeeping included: 1 MB to 1 TB, default 256 MB. A change needs a restart.</summary>
    [Range(1L << 20, 1L << 40)]
    public long MemoryLimit { get; set; } = 256L << 20;

    /// <summary>The largest body stored in Redis, in bytes: 0 to 512 MB, default 1 MB. Larger ones are stored per node. A change needs a restart.</summary>
    [Range(0, 512L << 20)]
    public long RedisBodyLimit { get; set; } = 1L << 20;

    /// <summary>What all responses that are being recorded may take together, in bytes: 1 MB to 1 TB, default 64 MB. Beyond it responses pass without being stored. A change needs a restart.</summary>
    [Range(1L << 20, 1L << 40)]
    public long RecordingLimit { get; set; } = 64L << 20;

    /// <summary>
    /// Policies by name. The policy <c>origin</c> exists without being configured: it follows the origin's fields and
    /// RFC 9111; configured here, it takes these options.
    /// </summary>
    public IDictionary<string, HttpCachePolicyOptions> Policies { get; } =
        new Dictionary<string, HttpCachePolicyOptions>(StringComparer.OrdinalIgnoreCase);
}

/// <summary>How the cache treats the responses of the routes that name the policy.</summary>
public sealed class HttpCachePolicyOptions
{
    /// <summary>What becomes of responses that set cookies. Default: <see cref="SetCookieHandling.Bypass"/>.</summary>
    public SetCookieHandling SetCookie { get; set; } = SetCookieHandling.Bypass;

    /// <summary>What happens to stored responses while this node cannot learn of purges. Default: <see cref="WhenChangesUnknown.Serve"/>.</summary>
    public WhenChangesUnknown WhenChangesUnknown { get; set; } = WhenChangesUnknown.Serve;

    /// <summary>How far simultaneous requests for one missing response share one request to the origin. Default: <see cref="CollapseScope.Nodes"/>.</summary>
    public CollapseScope Collapse { get; set; } = CollapseScope.Nodes;

    /// <summary>How long a request waits for another's fetch before it makes its own: 10 ms to 5 min, default 10 s.</summary>
    public TimeSpan CollapseWaitLimit { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// From which usual origin time on nodes take the fetch lock: 0 to 1 min, default 20 ms. Below it each node makes its
    /// own fetch, since the lock would cost more than it saves. A route without history counts as slow.
    /// </summary>
    public TimeSpan LockThreshold { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Whether <c>Accept-Encoding</c> and <c>Accept-Language</c> select the same variant when they list the same
    /// preferences in another order or spelling: fewer variants, more hits. Default: false, since some origins go by the
    /// order (RFC 9110 §12.5.4).
    /// </summary>
    public bool NormalizeNegotiation { get; set; }

    /// <summary>
    /// For how long a stale response is used while it is refreshed, where the origin does not say
    /// <c>stale-while-revalidate</c>: 0 to 365 days, default 0 (it is revalidated before it is used).
    /// </summary>
    public TimeSpan StaleWhileRevalidate { get; set; }

    /// <summary>
    /// For how long a stale response is used when the origin answers 500, 502, 503 or 504, where the origin does not say
    /// <c>stale-if-error</c>: 0 to 365 days, default 0 (the client gets the error).
    /// </summary>
    public TimeSpan StaleIfError { get; set; }

    /// <summary>
    /// For how long a stale response is used when the origin cannot be reached or breaks the connection off, where the
    /// origin does not say <c>stale-if-error</c>: 0 (never) to 365 days, default 1 h. <c>must-revalidate</c>,
    /// <c>proxy-revalidate</c>, <c>s-maxage</c> and <c>no-cache</c> forbid it.
    /// </summary>
    public TimeSpan StaleIfUnreachable { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The largest body that is stored, in bytes: 0 to 1 GB, default 16 MB. Larger ones pass.</summary>
    [Range(0, 1L << 30)]
    public long MaxBodySize { get; set; } = 16L << 20;

    /// <summary>Tags of every response of the policy, for purges: at most 64, of 1 to 256 characters without white space or commas.</summary>
    public IList<string> Tags { get; } = [];

    /// <summary>The response field in which the origin lists tags, separated by spaces or commas. Default: <c>Surrogate-Key</c>. Empty: none.</summary>
    public string TagField { get; set; } = "Surrogate-Key";
}

/// <summary>What happens to stored responses while a node has no lease on the change log.</summary>
public enum WhenChangesUnknown
{
    /// <summary>They are served for ten minutes at most, then revalidated: availability over exactness.</summary>
    Serve,

    /// <summary>They are revalidated with the origin before each use.</summary>
    Revalidate,

    /// <summary>They are not used, and nothing is stored: exactness over availability.</summary>
    Bypass,
}

/// <summary>How far requests share a fetch.</summary>
public enum CollapseScope
{
    /// <summary>Every request makes its own.</summary>
    Off,

    /// <summary>The requests of a process share one.</summary>
    Process,

    /// <summary>The requests of all nodes share one.</summary>
    Nodes,
}
