using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>All that is logged, by everybody and at every level.</summary>
internal sealed class EveryMessage : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _messages = new();

    public IReadOnlyCollection<string> Messages => _messages;

    public void Capture(ILoggingBuilder logging)
    {
        logging.AddProvider(this);
        // The host's rules name categories, and would win over one for all.
        logging.Services.PostConfigure<LoggerFilterOptions>(options =>
        {
            options.Rules.Clear();
            options.MinLevel = LogLevel.Trace;
        });
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        _messages.Enqueue($"{state}");
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _messages.Enqueue($"{formatter(state, exception)} {exception}");
        // What a structured sink keeps, whether or not the text shows it.
        if (state is IEnumerable<KeyValuePair<string, object?>> values)
            _messages.Enqueue(string.Join(' ', values.Select(value => $"{value.Key}={value.Value}")));
    }

    public void Dispose()
    {
    }
}
