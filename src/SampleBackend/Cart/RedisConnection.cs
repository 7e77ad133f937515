using System.Net;
using StackExchange.Redis;

namespace SampleBackend.Cart;

/// <summary>
/// The one connection to the Redis that keeps the carts. Starting does not need Redis: the library goes on trying in the
/// background, and until it succeeds every use fails at once instead of waiting.
/// </summary>
internal sealed partial class RedisConnection(ConfigurationOptions configuration, ILogger<RedisConnection> logger) : IHostedService, IAsyncDisposable
{
    /// <summary>The longest that a request waits for one command.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(500);

    // The library looks for timeouts at its heartbeats only: by default once a second, on top of the deadline.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan ReconnectInterval = TimeSpan.FromSeconds(1);

    private volatile ConnectionMultiplexer? _multiplexer;

    public bool IsConnected => _multiplexer is { IsConnected: true };

    /// <exception cref="RedisException">There is no connection yet.</exception>
    public IConnectionMultiplexer Multiplexer =>
        _multiplexer ?? throw new RedisException("There is no connection to Redis yet.");

    /// <summary>The configuration string with the deadlines that a request can bear.</summary>
    /// <exception cref="ArgumentException">It is not a StackExchange.Redis configuration string.</exception>
    public static ConfigurationOptions Parse(string configuration)
    {
        var options = ConfigurationOptions.Parse(configuration);
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.ConnectTimeout = (int)ReconnectInterval.TotalMilliseconds;
        options.AsyncTimeout = options.SyncTimeout = (int)Deadline.TotalMilliseconds;
        options.HeartbeatInterval = Heartbeat;
        options.ReconnectRetryPolicy = new LinearRetry((int)ReconnectInterval.TotalMilliseconds);
        return options;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration);
        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (failure.ConnectionType == ConnectionType.Interactive) LogAway(failure.EndPoint, failure.FailureType);
        };
        multiplexer.ConnectionRestored += (_, restored) =>
        {
            if (restored.ConnectionType == ConnectionType.Interactive) LogBack(restored.EndPoint);
        };
        if (!multiplexer.IsConnected) LogAway(null, ConnectionFailureType.UnableToConnect);
        _multiplexer = multiplexer;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_multiplexer is { } multiplexer) await multiplexer.DisposeAsync();
    }

    [LoggerMessage(1, LogLevel.Warning, "Redis {EndPoint} is away ({Reason}): carts answer 503 until it is back.")]
    private partial void LogAway(EndPoint? endPoint, ConnectionFailureType reason);

    [LoggerMessage(2, LogLevel.Information, "Redis {EndPoint} is back: carts work again.")]
    private partial void LogBack(EndPoint? endPoint);
}
