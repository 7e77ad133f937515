using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>What can be measured.</summary>
internal static class ScenarioList
{
    // A Redis hit must find nothing in memory: so many URLs, in turn, that the smallest memory holds few of them.
    private const int UrlsBeyondMemory = 20_000;

    private static readonly LoadPlan Items = new() { Prefix = Content.ItemPath };
    private static readonly LoadPlan ManyItems = Items with { Urls = UrlsBeyondMemory };
    private static readonly LoadPlan Uncacheable = new() { Prefix = Content.PassPath, ReachesOrigin = true };
    private static readonly LoadPlan NewItems = Items with { Urls = null, ReachesOrigin = true };

    private static readonly LoadPlan Conditional = Items with
    {
        Fields = [.. Items.Fields, ("If-None-Match", Content.ETag)],
        Status = 304,
        BodySize = 0,
    };

    private static readonly LoadPlan WithToken = Items with { Fields = [.. Items.Fields, ("Authorization", "Bearer " + BenchToken.Text)] };

    private static readonly LoadPlan OverLimit = Items with
    {
        Prefix = GatewayServer.OverPrefix + Content.ItemPath,
        Status = 429,
        BodySize = null,
    };

    private static readonly (string, string) Counted = ("RateLimit", "bench");
    private static readonly LoadPlan Links = new() { Prefix = Content.LinkPath, Status = 302, BodySize = 0 };

    private static readonly (string, string) Hit = ("Cache-Status", "hit");
    private static readonly (string, string) Forwarded = ("Cache-Status", "fwd=");
    private static readonly (string, string) Stored = ("Cache-Status", "stored");

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("hit", "A stored 1 KB response, 2000 URLs, Vary: Accept-Encoding, everything in memory.", [PeerList.Kestrel, PeerList.Nginx],
            [
                new(PeerList.Kestrel, PeerList.Kestrel, Items),
                new(PeerList.Nginx, PeerList.Nginx, Items),
                new(PeerList.Varnish, PeerList.Varnish, Items),
                new(PeerList.OutputCache, PeerList.OutputCache, Items),
                new(PeerList.Gateway, PeerList.Gateway, Items, Hit),
                new(PeerList.GatewayPool, PeerList.GatewayPool, Items, Hit),
            ],
            RequestLoad.MeasureAsync),
        new("redis-hit", "The same from Redis: the gateway with 1 MB of memory and 20,000 URLs in turn.", [PeerList.OutputCacheRedis],
            [
                new(PeerList.OutputCacheRedis, PeerList.OutputCacheRedis, ManyItems),
                new(PeerList.GatewayRedis, PeerList.GatewayRedis, ManyItems, Hit),
            ],
            RequestLoad.MeasureAsync),
        new("pass", "Cache-Control: no-store: each request goes to the origin.", [PeerList.Yarp],
            [
                new(PeerList.Yarp, PeerList.Yarp, Uncacheable),
                new(PeerList.Nginx, PeerList.Nginx, Uncacheable),
                new(PeerList.Varnish, PeerList.Varnish, Uncacheable),
                new(PeerList.Gateway, PeerList.Gateway, Uncacheable, Forwarded),
                new(PeerList.GatewayPool, PeerList.GatewayPool, Uncacheable, Forwarded),
            ],
            RequestLoad.MeasureAsync),
        new("miss", "Each request another URL, fetched and stored: the gateway in memory and Redis, without and with the fetch lock.", [PeerList.Yarp],
            [
                new(PeerList.Yarp, PeerList.Yarp, NewItems),
                new(PeerList.Nginx, PeerList.Nginx, NewItems),
                new(PeerList.Varnish, PeerList.Varnish, NewItems),
                new(PeerList.OutputCacheRedis, PeerList.OutputCacheRedis, NewItems),
                new(PeerList.Gateway, PeerList.Gateway, NewItems, Stored),
                new(PeerList.GatewayLock, PeerList.GatewayLock, NewItems, Stored),
            ],
            RequestLoad.MeasureAsync),
        new("304", "A client's conditional request, answered 304 (Not Modified) from the store, beside a hit.", ["gateway hit"],
            [
                new("gateway hit", PeerList.Gateway, Items, Hit),
                new("gateway 304", PeerList.Gateway, Conditional, Hit),
                new("nginx hit", PeerList.Nginx, Items),
                new("nginx 304", PeerList.Nginx, Conditional),
            ],
            RequestLoad.MeasureAsync),
        new("limit", "Rate limits on top of a hit: one, three, leased permits, a client over its limit. Beside them, what one EVAL and what a 429 cost a bare server.", ["without limit", PeerList.Kestrel],
            [
                new(PeerList.Kestrel, PeerList.Kestrel, Items),
                new(PeerList.KestrelEval, PeerList.KestrelEval, Items),
                new("without limit", PeerList.Gateway, Items with { Prefix = GatewayServer.FreePrefix + Content.ItemPath }, Hit),
                new("with limit", PeerList.Gateway, Items with { Prefix = GatewayServer.LimitedPrefix + Content.ItemPath }, Counted),
                new("with three limits", PeerList.Gateway, Items with { Prefix = GatewayServer.ThreeLimitsPrefix + Content.ItemPath }, ("RateLimit", "bucket")),
                new("leased", PeerList.Gateway, Items with { Prefix = GatewayServer.LeasedPrefix + Content.ItemPath }, Counted),
                new("over", PeerList.Gateway, OverLimit, Counted),
                new(PeerList.KestrelRefusal, PeerList.KestrelRefusal, OverLimit, Counted),
            ],
            RequestLoad.MeasureAsync),
        new("token", "A cached token (RS256) on top of the same hit for an anonymous client. Beside them, what the whole validation costs a bare server.", ["anonymous", PeerList.Kestrel],
            [
                new(PeerList.Kestrel, PeerList.Kestrel, Items),
                new(PeerList.KestrelJwt, PeerList.KestrelJwt, WithToken),
                new("anonymous", PeerList.Gateway, Items with { Prefix = GatewayServer.FreePrefix + Content.ItemPath }, Hit),
                new("cached token", PeerList.Gateway, WithToken with { Prefix = GatewayServer.TokenPrefix + Content.ItemPath }, Hit),
            ],
            RequestLoad.MeasureAsync),
        new("link", "A short link, counted, 2000 of them, beside a hit of the same gateway and nginx's return 302.", ["gateway hit"],
            [
                new("gateway hit", PeerList.Gateway, Items, Hit),
                new("gateway link", PeerList.Gateway, Links, ("Location", Content.LinkTarget)),
                new("nginx 302", PeerList.Nginx, Links with { BodySize = NginxServer.RedirectPageSize }),
            ],
            LinkLoad.MeasureRedirectsAsync),
        new("links", "A million short links: imported, completed by prefix; then 200,000 visits over three gateways, counted.", [],
            [new("gateway", PeerList.Gateway, Links, ("Location", Content.LinkTarget))],
            LinkLoad.MeasureManyAsync),
        new("large", "A 200 MB body, with and without Content-Length: first byte, and memory at its peak.", ["yarp", "yarp chunked"],
            [
                new("yarp", PeerList.Yarp, Items with { Prefix = Content.LargePath }),
                new("gateway", PeerList.Gateway, Items with { Prefix = Content.LargePath }),
                new("yarp chunked", PeerList.Yarp, Items with { Prefix = Content.ChunkedPath }),
                new("gateway chunked", PeerList.Gateway, Items with { Prefix = Content.ChunkedPath }),
            ],
            LargeBody.MeasureAsync),
        new("collapse", "300 clients at once for a URL that nobody has: three gateways, and nginx with proxy_cache_lock.", [],
            [
                new(PeerList.Gateway, PeerList.Gateway, Items),
                new(PeerList.NginxLock, PeerList.NginxLock, Items),
            ],
            CollapseLoad.MeasureAsync),
        new("faults", "Memory hits while Redis is killed and restarted empty, paused, and slow by 50 ms.", [],
            [new("gateway", PeerList.GatewayLink, Items, Hit)],
            FaultLoad.MeasureAsync),
    ];
}
