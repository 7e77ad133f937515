namespace Gateway.ShortLinks;

/// <summary>Short links: <c>GET {prefix}/{slug}</c> on the public listener answers with a redirect.</summary>
public sealed class ShortLinksOptions
{
    /// <summary>The configuration section, <c>ShortLinks</c>.</summary>
    public const string SectionName = "ShortLinks";

    /// <summary>
    /// Whether this gateway answers short links. Default: false, so that <see cref="Prefix"/> takes no path from a
    /// gateway that has none. The admin endpoints answer either way.
    /// </summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The path before the slug: <c>/</c> and segments of letters, digits, <c>-</c>, <c>_</c>, <c>.</c> or <c>~</c>, at
    /// most 64 characters. Default: <c>/s</c>. Empty puts slugs at the root, which needs <see cref="Hosts"/>. It is the
    /// links' own: they win over routes of <c>ReverseProxy</c> with the same path.
    /// </summary>
    public string Prefix { get; set; } = "/s";

    /// <summary>The hosts that answer short links, such as <c>go.example.com</c> or <c>go.example.com:8443</c>. Default: none, which means every host.</summary>
    public IList<string> Hosts { get; } = [];

    /// <summary>The length of generated slugs, in characters: 4 to 32, default 7 (10^12 slugs).</summary>
    public int GeneratedLength { get; set; } = 7;

    /// <summary>
    /// Whether <c>/s/Oak</c> and <c>/s/oak</c> are different links. Default: true. False keeps all slugs in lower case;
    /// links made before with upper case are not found then.
    /// </summary>
    public bool CaseSensitive { get; set; } = true;

    /// <summary>Slugs that no link may have, beside those reserved always; upper and lower case are the same here. Default: none.</summary>
    public IList<string> ReservedSlugs { get; } = [];

    /// <summary>Schemes of targets beside <c>http</c> and <c>https</c>, such as <c>myapp</c>. Those that run as code or read files are never allowed. Default: none.</summary>
    public IList<string> AdditionalSchemes { get; } = [];

    /// <summary>
    /// Whether targets may be hosts of a private network: loopback, private and link-local addresses, names without a
    /// dot, <c>.local</c>, <c>.internal</c>. Default: false. Names are not resolved.
    /// </summary>
    public bool AllowPrivateTargets { get; set; }

    /// <summary>
    /// Whether a link can pass on the path after its slug (<c>/s/oak/more</c>), as <c>forwardPath</c> of each link says.
    /// Default: false, so that routes of <c>ReverseProxy</c> keep such paths.
    /// </summary>
    public bool ForwardPaths { get; set; }

    /// <summary>Where visitors of expired and used-up links are sent that name no <c>expiredTarget</c> of their own: an absolute http or https URL. Default: none.</summary>
    public string? ExpiredTarget { get; set; }

    /// <summary>The file of an HTML page that visitors of expired and used-up links see instead (410), as an absolute path; at most 1 MiB. It is read again when the configuration changes. Default: none, which answers problem+json.</summary>
    public string? ExpiredPage { get; set; }

    /// <summary>
    /// Whether bots and browsers that load ahead count as visitors and use up maximum visits. Default: false: they are
    /// redirected without. Who lies about being a bot is too, so true is right for links whose maximum must hold against that.
    /// </summary>
    public bool CountBots { get; set; }

    /// <summary>
    /// How many answers 404 a client gets in a minute before all its requests for links are refused (429) until the
    /// minute is over: 0 (no limit) to 100000, default 60. A client is an IPv4 address or an IPv6 /64 (behind a proxy only with <c>TrustedProxies</c>, else all clients are one); each node counts for itself.
    /// </summary>
    public int UnknownPerMinute { get; set; } = 60;

    /// <summary>How many wrong passwords a client may send for a link in 15 minutes, to all nodes together: 1 to 200, default 10. All clients together: 200.</summary>
    public int PasswordAttempts { get; set; } = 10;

    /// <summary>
    /// How often visits counted in this process are written to Redis: 00:00:00.050 to 00:01:00, default 00:00:01. It is
    /// the most a crash can lose (and what was counted while Redis was away); an orderly stop loses none.
    /// </summary>
    public TimeSpan FlushInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long browsers and caches may keep a 301 or 308 of a link without maximum: 0 (never) to 366 days, default one day. Visits served from there are not counted.</summary>
    public TimeSpan PermanentMaxAge { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long an unknown slug is answered 404 from memory: 0 to 00:10:00, default 00:00:10. A link made meanwhile ends it.</summary>
    public TimeSpan UnknownFor { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What links kept in this process may take, in bytes: 1048576 (1 MiB) to 17179869184 (16 GiB), default 67108864 (64 MiB). A change needs a restart.</summary>
    public long MemoryLimit { get; set; } = 64L * 1024 * 1024;
}
