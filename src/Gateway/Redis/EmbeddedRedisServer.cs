#if EMBEDDED_REDIS
using System.Net;
using System.Net.Sockets;
using Garnet;
using Microsoft.Extensions.Options;
#endif

namespace Gateway.Redis;

/// <summary>
/// A Redis-compatible server (Garnet) inside this process, on loopback, in memory only: what makes the gateway run on
/// a machine with nothing but .NET. It starts while <c>Redis:Configuration</c> is absent.
/// </summary>
internal sealed class EmbeddedRedisServer : IHostedService, IDisposable
{
#if EMBEDDED_REDIS
    /// <summary>Whether this build holds the server (<c>EmbeddedRedis</c> was not <c>false</c>).</summary>
    public const bool IsBuiltIn = true;

    private readonly ILogger<EmbeddedRedisServer> _logger;
    private readonly bool _isWanted;
    private GarnetServer? _server;

    public EmbeddedRedisServer(IOptions<RedisOptions> options, ILogger<EmbeddedRedisServer> logger)
    {
        _logger = logger;
        _isWanted = options.Value.Configuration is null;
        Port = options.Value.EmbeddedPort != 0 || !_isWanted ? options.Value.EmbeddedPort : FindFreePort();
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!_isWanted)
            return Task.CompletedTask;

        RequireFreePort();
        // Without --lua every script fails.
        _server = new GarnetServer(["--bind", "127.0.0.1", "--port", $"{Port}", "--lua", "true", "--memory", "256m", "--page", "4m", "--index", "16m"]);
        _server.Start();
        RedisLog.EmbeddedStarted(_logger, Port);
        return Task.CompletedTask;
    }

    // The container holds this object under two service types and disposes it for each.
    public void Dispose() => Interlocked.Exchange(ref _server, null)?.Dispose();

    private static int FindFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    // Garnet reports a port in use only on its own console.
    private void RequireFreePort()
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, Port);
            listener.Start();
        }
        catch (SocketException exception)
        {
            throw new InvalidOperationException(
                $"The embedded Redis server cannot listen on 127.0.0.1:{Port}: {exception.Message}. Write another "
                + "Redis:EmbeddedPort (0 takes any free one), or name a server in Redis:Configuration.", exception);
        }
    }
#else
    /// <summary>Whether this build holds the server (<c>EmbeddedRedis</c> was not <c>false</c>).</summary>
    public const bool IsBuiltIn = false;

    /// <summary>Never used: a configuration without <c>Redis:Configuration</c> is refused in this build.</summary>
    public int Port { get; }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }
#endif

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
