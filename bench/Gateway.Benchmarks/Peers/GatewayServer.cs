using System.Text.Json;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Peers;

/// <summary>The gateway as people run it: its defaults, the policy <c>origin</c>, logging and telemetry as they come.</summary>
internal static class GatewayServer
{
    /// <summary>Paths below it are counted by a limit that never refuses; paths below <see cref="FreePrefix"/> take the same way without one.</summary>
    public const string LimitedPrefix = "/limited";
    public const string FreePrefix = "/free";

    /// <summary>As <see cref="LimitedPrefix"/>: by three limits; by one whose permits are leased; by one that has refused since its first request.</summary>
    public const string ThreeLimitsPrefix = "/three";
    public const string LeasedPrefix = "/leased";
    public const string OverPrefix = "/over";

    /// <summary>As <see cref="FreePrefix"/>, for those who send <see cref="BenchToken.Text"/>.</summary>
    public const string TokenPrefix = "/token";

    /// <summary>The smallest memory that the gateway can be given, in bytes.</summary>
    public const long SmallestMemory = 1L << 20;

    public static IEnumerable<string> Command(
        string folder, (int Public, int Admin) ports, string origin, string redis, long? memoryLimit = null, TimeSpan? lockThreshold = null)
    {
        var program = Path.Combine(Repository.Root, "src/Gateway/bin/Release/net10.0/Gateway.dll");
        if (!File.Exists(program))
            throw new BenchException($"{program} is missing. Build it: dotnet build src/Gateway -c Release");
        var path = Path.Combine(folder, "gateway.json");
        File.WriteAllText(path, JsonSerializer.Serialize(Configuration(origin, redis, BenchToken.WriteKeys(folder), memoryLimit, lockThreshold)));
        return ["dotnet", program, "--urls", $"http://127.0.0.1:{ports.Public}", $"--Admin:Urls=http://127.0.0.1:{ports.Admin}", "--config", path];
    }

    private static Dictionary<string, object> Configuration(string origin, string redis, string keyFile, long? memoryLimit, TimeSpan? lockThreshold)
    {
        var policy = new Dictionary<string, object>();
        if (lockThreshold is { } threshold)
            policy["LockThreshold"] = threshold.ToString();
        var cache = new Dictionary<string, object> { ["Policies"] = new { origin = policy } };
        if (memoryLimit is { } limit)
            cache["MemoryLimit"] = limit;
        return new()
        {
            ["ReverseProxy"] = new
            {
                Routes = new Dictionary<string, object>
                {
                    ["items"] = Route(Content.ItemPath),
                    ["pass"] = Route(Content.PassPath),
                    ["large"] = Route(Content.LargePath),
                    ["chunked"] = Route(Content.ChunkedPath),
                    ["slow"] = Route(SlowContent.Prefix),
                    ["free"] = Route(FreePrefix + "/", FreePrefix),
                    ["limited"] = Route(LimitedPrefix + "/", LimitedPrefix, "bench"),
                    ["three"] = Route(ThreeLimitsPrefix + "/", ThreeLimitsPrefix, "three"),
                    ["leased"] = Route(LeasedPrefix + "/", LeasedPrefix, "leased"),
                    ["over"] = Route(OverPrefix + "/", OverPrefix, "over"),
                    ["token"] = Route(TokenPrefix + "/", TokenPrefix, scheme: "bench"),
                },
                Clusters = new { origin = new { Destinations = new { a = new { Address = origin } } } },
            },
            ["OutputCache"] = cache,
            ["RateLimiter"] = new
            {
                Policies = new
                {
                    bench = Policy(Limit("bench")),
                    three = Policy(
                        Limit("bench"), Limit("sliding", ("Algorithm", "SlidingWindow")),
                        Limit("bucket", ("Algorithm", "TokenBucket"), ("Window", "00:00:00"), ("ReplenishmentPeriod", "01:00:00"))),
                    leased = Policy(Limit("bench", ("LeaseBatch", 1000))),
                    over = Policy(Limit("bench", ("PermitLimit", 1), ("Window", "1.00:00:00"))),
                },
            },
            ["Tokens"] = new { Schemes = new { bench = new { BenchToken.Issuer, BenchToken.Audience, JwksFile = keyFile } } },
            ["ShortLinks"] = new { Enabled = true, Prefix = Servers.Content.LinkPath.TrimEnd('/') },
            // A core that others use too must not turn a hit in Redis into a miss: the built-in cache waits 5 s as well.
            ["Redis"] = new { Configuration = redis, Deadline = "00:00:05" },
        };
    }

    private static object Policy(params object[] limits) => new { Limits = limits };

    private static Dictionary<string, object> Limit(string name, params (string Key, object Value)[] more)
    {
        var limit = new Dictionary<string, object>
        {
            ["Name"] = name,
            ["PermitLimit"] = 1_000_000_000,
            ["Window"] = "01:00:00",
            ["By"] = new[] { "ClientIp" },
        };
        foreach (var (key, value) in more)
            limit[key] = value;
        return limit;
    }

    private static Dictionary<string, object> Route(string prefix, string? remove = null, string? limit = null, string? scheme = null)
    {
        var route = new Dictionary<string, object>
        {
            ["ClusterId"] = "origin",
            ["Match"] = new { Path = prefix + "{**rest}" },
            ["OutputCachePolicy"] = "origin",
        };
        if (remove is not null)
            route["Transforms"] = new[] { new { PathRemovePrefix = remove } };
        if (limit is not null)
            route["RateLimiterPolicy"] = limit;
        if (scheme is not null)
            route["AuthorizationPolicy"] = scheme;
        return route;
    }
}
