using System.Collections.Concurrent;
using System.Text.Json;
using Gateway.Hosting;
using Gateway.Hosting.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A real gateway in this process, on free ports, with a configuration file of its own that tests can edit.</summary>
internal sealed class GatewayNode : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;
    private readonly WebApplication _app;

    private GatewayNode(DirectoryInfo directory, WebApplication app, CapturedLog log)
    {
        _directory = directory;
        _app = app;
        Log = log;
        var addresses = app.Services.GetRequiredService<GatewayAddresses>();
        PublicAddress = new Uri(addresses.Public[0]);
        AdminAddress = new Uri(addresses.Admin[0]);
        Public = CreateClient(PublicAddress);
        Admin = CreateClient(AdminAddress);
    }

    public Uri PublicAddress { get; }

    public Uri AdminAddress { get; }

    /// <summary>Talks to the public listener: follows no redirects, keeps no cookies.</summary>
    public HttpClient Public { get; }

    /// <summary>Talks to the admin listener.</summary>
    public HttpClient Admin { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>What was logged at Warning and above.</summary>
    public CapturedLog Log { get; }

    public string ConfigPath => Path.Combine(_directory.FullName, "gateway.json");

    /// <summary>Starts a node.</summary>
    /// <param name="config">The configuration: an object to serialize, or JSON text. Property names are kept.</param>
    /// <param name="redis">A connection string; null takes the embedded server.</param>
    /// <param name="args">More of the command line, such as <c>--Admin:ApiKey=…</c>.</param>
    /// <param name="configure">Changes to the services, such as another <see cref="TimeProvider"/>.</param>
    /// <exception cref="InvalidConfigurationException">The configuration has errors.</exception>
    public static async Task<GatewayNode> StartAsync(
        object? config = null, string? redis = null, IEnumerable<string>? args = null, Action<WebApplicationBuilder>? configure = null)
    {
        var directory = Directory.CreateTempSubdirectory("gateway-test-");
        var log = new CapturedLog();
        WebApplication? app = null;
        try
        {
            var path = Path.Combine(directory.FullName, "gateway.json");
            await File.WriteAllTextAsync(path, ToJson(config));
            app = await Program.BuildAsync(
                [
                    "--urls", "http://127.0.0.1:0", "--Admin:Urls=http://127.0.0.1:0", "--Hosting:DrainSeconds=0",
                    "--config", path, .. redis is null ? [] : new[] { $"--Redis:Configuration={redis}" }, .. args ?? [],
                ],
                builder =>
                {
                    builder.Logging.ClearProviders();
                    builder.Logging.AddProvider(log);
                    configure?.Invoke(builder);
                });
            await app.StartAsync();
            return new GatewayNode(directory, app, log);
        }
        catch
        {
            if (app is not null)
                await app.DisposeAsync();
            directory.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>Writes the configuration file anew and returns when the node has accepted or refused it.</summary>
    public async Task<ConfigurationStatus> ReloadAsync(object config)
    {
        var reloader = Services.GetRequiredService<ConfigurationReloader>();
        var before = reloader.Status;
        await File.WriteAllTextAsync(ConfigPath, ToJson(config));
        await Eventually.TrueAsync(() => !ReferenceEquals(reloader.Status, before), "the changed file is accepted or refused");
        return reloader.Status;
    }

    /// <summary>Stops the node as SIGTERM does: drains, finishes running requests, ends.</summary>
    public Task StopAsync() => _app.StopAsync();

    /// <summary>A client of its own, with its own connections.</summary>
    public static HttpClient CreateClient(Uri address) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, AutomaticDecompression = System.Net.DecompressionMethods.None })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(30),
        };

    public async ValueTask DisposeAsync()
    {
        Public.Dispose();
        Admin.Dispose();
        await _app.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private static string ToJson(object? config) => config switch
    {
        null => "{}",
        string json => json,
        _ => JsonSerializer.Serialize(config),
    };
}

/// <summary>One logged event.</summary>
internal sealed record LoggedEvent(LogLevel Level, string Category, EventId Id, string Message, Exception? Exception);

/// <summary>Keeps the events at Warning and above.</summary>
internal sealed class CapturedLog : ILoggerProvider
{
    private readonly ConcurrentQueue<LoggedEvent> _events = new();

    public IReadOnlyList<LoggedEvent> Events => [.. _events];

    /// <summary>The events that carry an exception: empty, unless something went wrong inside the gateway.</summary>
    public IReadOnlyList<LoggedEvent> Exceptions => [.. _events.Where(logged => logged.Exception is not null)];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(CapturedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log._events.Enqueue(new LoggedEvent(logLevel, category, eventId, formatter(state, exception), exception));
        }
    }
}
