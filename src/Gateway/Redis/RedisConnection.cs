using System.Net;
using StackExchange.Redis;

namespace Gateway.Redis;

/// <summary>
/// One connection to one Redis deployment, and the only way to call it: every call has a deadline, and while the
/// circuit is open no call is made at all. Nothing here throws because Redis is away.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    private const int ThreadsBesideSentinel = 48;
    private const string ReadOnlyError = "READONLY";

    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(100);

    private readonly ConfigurationOptions? _configuration;
    private readonly TimeSpan _deadline;
    private readonly TimeProvider _time;
    private readonly RedisMetrics _metrics;
    private readonly ILogger _logger;
    private readonly RedisCircuit _circuit = new();
    // Null where there is nothing to call.
    private readonly StallWatch? _stalls;
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _connectGate = new();
    private readonly Lock _primariesGate = new();
    private Task<ConnectionMultiplexer>? _connecting;
    private ConnectionMultiplexer? _multiplexer;
    private int _probing;
    private HashSet<EndPoint> _primaries = [];

    /// <param name="configuration">Where to connect; null: nowhere, ever.</param>
    public RedisConnection(
        string name, ConfigurationOptions? configuration, TimeSpan deadline, TimeProvider time, RedisMetrics metrics, ILogger logger)
    {
        Name = name;
        _configuration = configuration is null ? null : WithGatewayDefaults(configuration, name, time);
        _deadline = deadline;
        _time = time;
        _stalls = configuration is null ? null : new StallWatch(time);
        _metrics = metrics;
        _logger = logger;
    }

    /// <summary>What the connection is for, such as <c>state</c> or <c>cache</c>.</summary>
    public string Name { get; }

    /// <summary>Whether there is a Redis at all, there or away.</summary>
    public bool IsConfigured => _configuration is not null;

    /// <summary>Whether a call made now would be sent.</summary>
    public bool IsAvailable => !_circuit.IsOpen;

    /// <summary>Raised when Redis answers again after it was away, or a connection was made anew: what it holds may be other than before.</summary>
    public event Action? Restored;

    /// <summary>
    /// Raised when a connection to a primary is lost or made anew, others are primaries than before, or a write is refused
    /// by what is none any more: what was written last may be lost. Replicas that come and go lose nothing. Handlers are
    /// quick and do not throw.
    /// </summary>
    public event Action? Interrupted;

    /// <summary>Begins to connect and waits for the first attempt, which may fail: the connection then goes on trying.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!IsConfigured)
            return;
        await ConnectAsync().WaitAsync(cancellationToken);
        if (!await ProbeAsync())
            RedisLog.Unavailable(_logger, Name, "not reachable at start");
        BeginProbing();
    }

    /// <summary>
    /// The library's own connection, for a package that wants one (the output cache store). Never awaits longer than the
    /// connect timeout.
    /// </summary>
    public Task<ConnectionMultiplexer> ConnectAsync()
    {
        lock (_connectGate)
            return _connecting ??= OpenAsync();
    }

    /// <summary>Makes one call. No answer by the deadline, an error or an open circuit give an unanswered reply.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public ValueTask<RedisReply<T>> TryAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken cancellationToken) =>
        TryAsync(static (database, command) => command(database), command, cancellationToken);

    /// <inheritdoc cref="TryAsync{T}(Func{IDatabase, Task{T}}, CancellationToken)"/>
    public ValueTask<RedisReply<T>> TryAsync<T, TState>(
        Func<IDatabase, TState, Task<T>> command, TState state, CancellationToken cancellationToken)
    {
        if (_multiplexer is not { } multiplexer || _circuit.IsOpen)
        {
            if (IsConfigured)
                _metrics.Skipped(Name);
            return default;
        }

        return CallAsync(multiplexer, command, state, cancellationToken);
    }

    /// <summary>Subscribes to a channel now and after every reconnect. Messages may be lost: they are hints.</summary>
    public async Task SubscribeAsync(RedisChannel channel, Action<RedisValue> handler)
    {
        var multiplexer = await ConnectAsync();
        await multiplexer.GetSubscriber().SubscribeAsync(channel, (_, message) => handler(message));
    }

    /// <summary>
    /// Raises <see cref="Interrupted"/> now if calls go to other primaries than before. The library begins to use a primary
    /// a moment before it says so: for those who must not trust an answer of that moment.
    /// </summary>
    public void NoticePrimaries()
    {
        if (_multiplexer is { } multiplexer)
            NoticePrimaries(multiplexer);
    }

    /// <summary>Ends probing and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync();
        if (_multiplexer is { } multiplexer)
            await multiplexer.DisposeAsync();
        _disposing.Dispose();
        _stalls?.Dispose();
    }

    private static ConfigurationOptions WithGatewayDefaults(ConfigurationOptions given, string name, TimeProvider time)
    {
        var options = given.Clone();
        // A call made while the connection is down must fail at once instead of waiting in a queue.
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = Math.Min(options.ConnectTimeout, 1000);
        options.AsyncTimeout = Math.Min(options.AsyncTimeout, 1000);
        // Attempts are made at heartbeats, and so a second apart at most: that long a Redis that is back goes unnoticed. Each one
        // that fails costs exceptions, on every connection.
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        options.ReconnectRetryPolicy = new LinearRetry(750);
        // How long a replica that was promoted goes unnoticed; by default a minute.
        options.ConfigCheckSeconds = 1;
        options.ClientName = $"gateway-{name}";
        // A proxy that the configuration names stays. What TLS sends does not show where commands end.
        if (!options.Ssl)
            options.Tunnel ??= new GatheringTunnel(time);
        return options;
    }

    private async Task<ConnectionMultiplexer> OpenAsync()
    {
        var configuration = _configuration ?? throw new InvalidOperationException("There is no Redis to connect to.");
        if (!string.IsNullOrEmpty(configuration.ServiceName))
            MakeRoomBesideSentinel();
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(configuration);
        multiplexer.ConnectionFailed += (_, e) =>
        {
            if (IsToPrimary(multiplexer, e))
                Interrupted?.Invoke();
        };
        // Raised whenever the library has looked at the servers, also where nothing is other than before.
        multiplexer.ConfigurationChanged += (_, _) => NoticePrimaries(multiplexer);
        multiplexer.ConnectionRestored += (_, e) =>
        {
            if (e.ConnectionType != ConnectionType.Interactive)
                return;
            if (IsToPrimary(multiplexer, e))
                Interrupted?.Invoke();
            Restored?.Invoke();
        };
        _primaries = PrimariesAmong(multiplexer.GetServers());
        _multiplexer = multiplexer;
        return multiplexer;
    }

    // A server of which nothing is known yet counts as a primary.
    private static bool IsToPrimary(ConnectionMultiplexer multiplexer, ConnectionFailedEventArgs e) =>
        e.ConnectionType == ConnectionType.Interactive
        && !Array.Exists(multiplexer.GetServers(), server => server.IsReplica && Equals(server.EndPoint, e.EndPoint));

    private static HashSet<EndPoint> PrimariesAmong(IServer[] servers) =>
        [.. servers.Where(server => !server.IsReplica).Select(server => server.EndPoint)];

    private void NoticePrimaries(ConnectionMultiplexer multiplexer)
    {
        // Nobody goes on before those who must hear of it have.
        lock (_primariesGate)
        {
            var servers = multiplexer.GetServers();
            if (servers.Count(server => !server.IsReplica) == _primaries.Count
                && Array.TrueForAll(servers, server => server.IsReplica || _primaries.Contains(server.EndPoint)))
                return;
            _primaries = PrimariesAmong(servers);
            Interrupted?.Invoke();
        }
    }

    // The library blocks threads of the pool while it asks Sentinel for the new primary. The pool adds threads slowly past
    // its minimum, by default the number of cores, and requests would wait for them.
    private static void MakeRoomBesideSentinel()
    {
        ThreadPool.GetMinThreads(out var workers, out var completionPorts);
        ThreadPool.SetMinThreads(Math.Max(workers, ThreadsBesideSentinel), completionPorts);
    }

    private async ValueTask<RedisReply<T>> CallAsync<T, TState>(
        ConnectionMultiplexer multiplexer, Func<IDatabase, TState, Task<T>> command, TState state, CancellationToken cancellationToken)
    {
        Task<T>? call = null;
        var stalledBefore = _stalls!.Total;
        try
        {
            call = command(multiplexer.GetDatabase(), state);
            T value;
            try
            {
                value = await call.WaitAsync(_deadline, _time, cancellationToken);
            }
            // The answer may have come and found nobody. It gets the time that this process lost, once.
            catch (TimeoutException) when (!call.IsFaulted && _stalls.Total - stalledBefore is var stalled && stalled > TimeSpan.Zero)
            {
                value = await call.WaitAsync(stalled < _deadline ? stalled : _deadline, _time, cancellationToken);
            }

            _circuit.OnSuccess();
            return new RedisReply<T>(value);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Abandon(call);
            throw;
        }
        // The library's own timeout is a TimeoutException too; both mean: no answer in time.
        catch (TimeoutException)
        {
            Abandon(call);
            OnFailure("no answer in time");
        }
        catch (RedisServerException exception) when (!IsUnavailability(exception.Message))
        {
            _metrics.Failed(Name, "refused");
            RedisLog.Refused(_logger, Name, exception.Message);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException)
        {
            // What took this server for a primary: another one may be that by now, without what was written here last.
            if (exception.Message.StartsWith(ReadOnlyError, StringComparison.Ordinal))
                Interrupted?.Invoke();
            OnFailure(exception is RedisServerException ? "not serving" : "connection lost");
        }

        return default;
    }

    // The server is up but cannot serve: it loads its data, lost its master, or its cluster is down.
    private static bool IsUnavailability(string message) =>
        message.StartsWith("LOADING", StringComparison.Ordinal)
        || message.StartsWith("MASTERDOWN", StringComparison.Ordinal)
        || message.StartsWith("CLUSTERDOWN", StringComparison.Ordinal)
        || message.StartsWith(ReadOnlyError, StringComparison.Ordinal);

    // An abandoned call fails later: its exception is looked at here, so that it is not reported as unobserved.
    private static void Abandon(Task? call) =>
        call?.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private void OnFailure(string why)
    {
        _metrics.Failed(Name, "unavailable");
        if (!_circuit.OnFailure())
            return;
        RedisLog.Unavailable(_logger, Name, why);
        BeginProbing();
    }

    private void BeginProbing()
    {
        if (_circuit.IsOpen && Interlocked.Exchange(ref _probing, 1) == 0)
            _ = ProbeUntilClosedAsync();
    }

    private async Task ProbeUntilClosedAsync()
    {
        try
        {
            // Not at once either: what answers a probe and fails all calls would have both for nothing, as fast as it answers.
            do
                await Task.Delay(ProbeInterval, _time, _disposing.Token);
            while (!await ProbeAsync());
        }
        catch (OperationCanceledException)
        {
            return;
        }
        finally
        {
            Volatile.Write(ref _probing, 0);
        }

        RedisLog.Available(_logger, Name);
        Restored?.Invoke();
    }

    private async Task<bool> ProbeAsync()
    {
        // Without a connection a call would only throw, and the library would write a long message for it, ten times a second.
        if (_multiplexer is not { IsConnected: true } multiplexer)
            return false;
        // Of a primary: a replica would answer while there is none, and what the gateway writes would fail.
        var reply = await CallAsync(multiplexer, static (database, _) => database.PingAsync(CommandFlags.DemandMaster), 0, _disposing.Token);
        if (reply.IsAnswered)
            _circuit.Close();
        return reply.IsAnswered;
    }
}
