using System.ComponentModel.DataAnnotations;
using Gateway.Caching.Semantics;
using Gateway.Hosting.Configuration;

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
    [Secret]
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
    /// How many requests may wait in this process for responses that others are fetching: 1 to 1,000,000, default 20,000.
    /// One more is answered 503 with <c>Retry-After</c>: let through, a crowd would reach the origin that it waits for. A
    /// change needs a restart.
    /// </summary>
    [Range(1, 1_000_000)]
    public int MaxWaitingRequests { get; set; } = 20_000;

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
    /// <summary>
    /// How long responses are fresh, from when they come: 0 to 365 days. It replaces <c>s-maxage</c>, <c>max-age</c> and
    /// <c>Expires</c>, and clients still see those; <c>no-store</c>, <c>no-cache</c>, <c>private</c> and
    /// <c>must-revalidate</c> stay in force. For statuses that may be cached without being told (RFC 9110 §15.1); others
    /// follow the origin. Default: none, the origin decides.
    /// </summary>
    public TimeSpan? Ttl { get; set; }

    /// <summary>
    /// How long responses are fresh, from when they come, where the origin gives no lifetime: 0 to 365 days. It stands in
    /// for the heuristic of RFC 9111 §4.2.2, for the same statuses. Default: none, the heuristic decides.
    /// </summary>
    public TimeSpan? DefaultTtl { get; set; }

    /// <summary>Which query keys count. Default: all. Those that do not are left out of the key and of the request that the origin sees.</summary>
    public QueryKeysOptions QueryKeys { get; } = new();

    /// <summary>
    /// Request fields by whose values responses are kept apart, beside the origin's <c>Vary</c>: at most 16. Values are
    /// hashed. Default: none.
    /// </summary>
    public IList<string> VaryByHeader { get; } = [];

    /// <summary>Cookies by whose values responses are kept apart: at most 16 names. Origins may read them in any case, so that all cases of a name count. Values are hashed. Default: none.</summary>
    public IList<string> VaryByCookie { get; } = [];

    /// <summary>
    /// Claims of the identity that the gateway established, such as <c>sub</c>, by whose values responses are kept apart:
    /// at most 16 types. Values are hashed. It keeps apart and permits nothing: see <see cref="Authorization"/>. Default: none.
    /// </summary>
    public IList<string> VaryByClaim { get; } = [];

    /// <summary>What becomes of requests with credentials. Default: <see cref="AuthorizationHandling.Origin"/>.</summary>
    public AuthorizationHandling Authorization { get; set; } = AuthorizationHandling.Origin;

    /// <summary>What the <c>Cache-Control</c> of requests may demand. Default: <see cref="ClientDirectives.Honor"/>.</summary>
    public ClientDirectives ClientDirectives { get; set; } = ClientDirectives.Honor;

    /// <summary>What becomes of responses that set cookies. Default: <see cref="SetCookieHandling.Bypass"/>.</summary>
    public SetCookieHandling SetCookie { get; set; } = SetCookieHandling.Bypass;

    /// <summary>What happens to stored responses while this node cannot learn of purges. Default: <see cref="WhenChangesUnknown.Serve"/>.</summary>
    public WhenChangesUnknown WhenChangesUnknown { get; set; } = WhenChangesUnknown.Serve;

    /// <summary>How far simultaneous requests for one missing response share one request to the origin. Default: <see cref="CollapseScope.Nodes"/>.</summary>
    public CollapseScope Collapse { get; set; } = CollapseScope.Nodes;

    /// <summary>
    /// How long requests wait for one fetch: 10 ms to 5 min, default 10 s. Then one of them makes another beside it, the
    /// rest wait for whichever is answered first, and so on; a request that has waited ten times as long makes its own.
    /// </summary>
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

    /// <summary>Whether clients get responses without the <see cref="TagField"/>. Default: false, for caches in front of the gateway.</summary>
    public bool StripTagField { get; set; }
}

/// <summary>
/// Which keys of the query count: <see cref="Keep"/> or <see cref="Drop"/>, not both. Keys compare decoded and in exact
/// case; a trailing <c>*</c> stands for any end. The keys that remain keep their order and spelling.
/// </summary>
public sealed class QueryKeysOptions
{
    /// <summary>The keys that count, and no others: at most 64. Default: none named, all count.</summary>
    public IList<string> Keep { get; } = [];

    /// <summary>The keys that do not count, such as <c>utm_*</c>: at most 64. Default: none.</summary>
    public IList<string> Drop { get; } = [];

    /// <summary>Whether keys are put in order, so that their order does not matter; values of one key keep theirs. Default: false.</summary>
    public bool Sort { get; set; }
}

/// <summary>What the <c>Cache-Control</c> field of requests may demand of the cache.</summary>
public enum ClientDirectives
{
    /// <summary>Everything, as RFC 9111 §5.2.1 says.</summary>
    Honor,

    /// <summary>
    /// The same, but those who demand a fresh answer at the same time share one: whatever the origin sends after a
    /// request came satisfies its <c>no-cache</c>, <c>max-age</c> and <c>min-fresh</c>. A flood of them costs the origin
    /// one request at a time. A request with <c>no-store</c> shares nothing.
    /// </summary>
    Collapse,

    /// <summary>Nothing: the field is not read, <c>no-store</c> and <c>only-if-cached</c> included.</summary>
    Ignore,
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
