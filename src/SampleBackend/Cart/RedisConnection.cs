using StackExchange.Redis;

namespace SampleBackend.Cart;

/// <summary>
/// The one connection to the Redis that keeps the carts. Starting does not need Redis: the library goes on trying in the
/// background, and until it succeeds every use fails at once instead of waiting.
/// </summary>
internal sealed class RedisConnection(ConfigurationOptions configuration) : IHostedService, IAsyncDisposable
{
    /// <summary>The longest that connecting or one command may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private volatile ConnectionMultiplexer? _multiplexer;

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
        options.ConnectTimeout = options.AsyncTimeout = options.SyncTimeout = (int)Deadline.TotalMilliseconds;
        options.ReconnectRetryPolicy = new LinearRetry((int)Deadline.TotalMilliseconds);
        return options;
    }

    public async Task StartAsync(CancellationToken cancellationToken) =>
        _multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_multiplexer is { } multiplexer) await multiplexer.DisposeAsync();
    }
}
