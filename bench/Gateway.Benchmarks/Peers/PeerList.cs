using System.Runtime.InteropServices;
using Gateway.Benchmarks.Servers;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.Benchmarks.Peers;

/// <summary>Starts the servers that can be measured.</summary>
internal static class PeerList
{
    public const string Kestrel = "kestrel";

    /// <summary>Bare Kestrel that counts each request in Redis by one script.</summary>
    public const string KestrelEval = "kestrel-eval";

    /// <summary>Bare Kestrel that refuses each request as the gateway refuses a client over its limit.</summary>
    public const string KestrelRefusal = "kestrel-429";

    /// <summary>Bare Kestrel that validates the token of each request from nothing.</summary>
    public const string KestrelJwt = "kestrel-jwt";

    public const string Yarp = "yarp";
    public const string OutputCache = "output-cache";
    public const string OutputCacheRedis = "output-cache-redis";
    public const string Nginx = "nginx";

    /// <summary>nginx that lets one request fetch what is missing, and the others wait.</summary>
    public const string NginxLock = "nginx-lock";

    public const string Varnish = "varnish";
    public const string Gateway = "gateway";

    /// <summary>The gateway with almost no memory of its own: hits come from Redis.</summary>
    public const string GatewayRedis = "gateway-redis";

    /// <summary>The gateway with the thread pool between sockets and requests, as its .NET peers have it.</summary>
    public const string GatewayPool = "gateway-pool";

    /// <summary>The gateway with the fetch lock on every miss, however fast the origin is.</summary>
    public const string GatewayLock = "gateway-lock";

    /// <summary>The gateway with the Redis deadline that it has by default, and a network to its Redis that can be slow.</summary>
    public const string GatewayLink = "gateway-link";

    // Every stored response of a run fits, and what a run of misses leaves behind is evicted.
    private const string RedisMemory = "512mb";

    public static async Task<Peer> StartAsync(string name, int originPort, CancellationToken cancellationToken)
    {
        var redisPort = ServerProcess.FreePort();
        var redis = name is KestrelEval or OutputCacheRedis or Gateway or GatewayPool or GatewayRedis or GatewayLock or GatewayLink
            ? await StartRedisAsync(redisPort, cancellationToken)
            : null;
        var link = name == GatewayLink ? SlowLink.To(redisPort) : null;
        try
        {
            var (port, adminPort) = (ServerProcess.FreePort(), ServerProcess.FreePort());
            var server = await ServerProcess.StartAsync(Cores.Server, port, folder => Command(name, folder, (port, adminPort), originPort, link?.Port ?? redisPort), cancellationToken);
            return new Peer(name, await VersionAsync(name, cancellationToken), port, adminPort, server, redis, redisPort, link);
        }
        catch
        {
            if (link is not null)
                await link.DisposeAsync();
            if (redis is not null)
                await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>The origin: on the load's core, since it is not what is measured.</summary>
    public static Task<ServerProcess> StartOriginAsync(int port, CancellationToken cancellationToken) =>
        ServerProcess.StartAsync(Cores.Rest, port, _ => Serve("origin", port), cancellationToken);

    private static Task<ServerProcess> StartRedisAsync(int port, CancellationToken cancellationToken) => ServerProcess.StartAsync(
        Cores.Rest,
        port,
        folder =>
        [
            "redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no",
            "--maxmemory", RedisMemory, "--maxmemory-policy", "allkeys-lfu",
        ],
        cancellationToken);

    private static IEnumerable<string> Command(string name, string folder, (int Public, int Admin) ports, int originPort, int redisPort)
    {
        var port = ports.Public;
        var origin = $"http://127.0.0.1:{originPort}";
        var redis = $"127.0.0.1:{redisPort}";
        return name switch
        {
            Kestrel or KestrelRefusal => Serve(name, port),
            KestrelJwt => Serve(name, port, BenchToken.WriteKeys(folder)),
            Yarp or OutputCache => Serve(name, port, origin),
            OutputCacheRedis or KestrelEval => Serve(name, port, origin, redis),
            Nginx => NginxServer.Command(folder, port, originPort),
            NginxLock => NginxServer.Command(folder, port, originPort, collapses: true),
            Varnish => VarnishServer.Command(folder, port, originPort),
            Gateway => GatewayServer.Command(folder, ports, origin, redis),
            GatewayPool => GatewayServer.Command(folder, ports, origin, redis).Append("--Hosting:EventLoop=false"),
            GatewayLink => GatewayServer.Command(folder, ports, origin, redis).Append("--Redis:Deadline=00:00:00.2"),
            GatewayRedis => GatewayServer.Command(folder, ports, origin, redis, memoryLimit: GatewayServer.SmallestMemory),
            GatewayLock => GatewayServer.Command(folder, ports, origin, redis, lockThreshold: TimeSpan.Zero),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
        };
    }

    private static IEnumerable<string> Serve(string kind, int port, params string[] more) =>
        ["dotnet", typeof(ServeCommand).Assembly.Location, "serve", kind, $"{port}", .. more];

    private static async Task<string> VersionAsync(string name, CancellationToken cancellationToken) => name switch
    {
        Nginx or NginxLock => await Tool.FirstLineAsync("nginx", ["-v"], cancellationToken),
        Varnish => await Tool.FirstLineAsync("varnishd", ["-V"], cancellationToken),
        Kestrel or KestrelRefusal or KestrelEval or KestrelJwt => RuntimeInformation.FrameworkDescription,
        Yarp => $"Yarp.ReverseProxy {typeof(global::Yarp.ReverseProxy.Configuration.RouteConfig).Assembly.GetName().Version}",
        OutputCache or OutputCacheRedis => $"ASP.NET Core's output cache, {RuntimeInformation.FrameworkDescription}, behind YARP",
        _ => $"commit {await Tool.FirstLineAsync("git", ["-C", Repository.Root, "describe", "--always", "--dirty"], cancellationToken)}",
    };
}
