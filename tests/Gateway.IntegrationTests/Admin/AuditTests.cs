using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Admin;

public sealed class AuditTests : IDisposable
{
    private const string Key = "a-long-admin-key-0123456789";

    private readonly AuditLog _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Each_change_is_one_event_that_says_who_what_and_with_which_outcome()
    {
        await using var node = await StartAsync();

        await node.Admin.PostAsJsonAsync("/cache/purge", new { all = true });
        await node.Admin.PostAsJsonAsync("/cache/purge", new { tag = "a b" });
        await node.Admin.PostAsync("/cache/purge", new StringContent("no json", Encoding.UTF8, "application/json"));
        await node.Admin.DeleteAsync("/links/gone");

        Assert.Equal(
            [
                "Admin change: POST /cache/purge (-) by a local program from 127.0.0.1 was answered 200.",
                "Admin change: POST /cache/purge (-) by a local program from 127.0.0.1 was answered 400.",
                "Admin change: POST /cache/purge (-) by a local program from 127.0.0.1 was answered 400.",
                "Admin change: DELETE /links/{slug} (slug=gone) by a local program from 127.0.0.1 was answered 404.",
            ],
            _log.Events);
    }

    [Fact]
    public async Task Reading_and_what_changes_nothing_are_not_recorded()
    {
        await using var node = await StartAsync();

        await node.Admin.GetAsync("/cache/statistics");
        await node.Admin.PostAsync("/no-such-endpoint", null);

        Assert.Empty(_log.Events);
    }

    [Fact]
    public async Task Callers_with_a_key_are_told_apart_by_its_hash_and_those_without_are_not_recorded()
    {
        await using var node = await StartAsync($"--Admin:ApiKey={Key}");

        using var refused = await node.Admin.PostAsJsonAsync("/cache/purge", new { all = true });
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Empty(_log.Events);
        node.Admin.DefaultRequestHeaders.Add("X-Api-Key", Key);
        await node.Admin.PostAsJsonAsync("/cache/purge", new { all = true });

        var recorded = Assert.Single(_log.Events);
        Assert.Matches("by key [0-9a-f]{8} from", recorded);
        Assert.DoesNotContain(Key, recorded, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_is_short_and_one_line_and_holds_nothing_of_body_or_query()
    {
        await using var node = await StartAsync();

        await node.Admin.PostAsJsonAsync("/cache/purge?secret=in-the-query", new { url = "http://shop.example/?token=in-the-body" });
        await node.Admin.DeleteAsync("/links/%0AAdmin%20change:%20forged" + new string('x', 1000));

        Assert.Equal(2, _log.Events.Count);
        Assert.All(_log.Events, recorded => Assert.DoesNotContain("in-the-", recorded, StringComparison.Ordinal));
        Assert.All(_log.Events, recorded => Assert.DoesNotContain('\n', recorded));
        Assert.All(_log.Events, recorded => Assert.InRange(recorded.Length, 1, 300));
    }

    private Task<GatewayNode> StartAsync(params string[] args) =>
        GatewayNode.StartAsync(args: args, configure: builder => builder.Logging.AddProvider(_log));

    /// <summary>Keeps the audit events alone.</summary>
    private sealed class AuditLog : ILoggerProvider, ILogger
    {
        private const int Changed = 9000;

        private readonly ConcurrentQueue<string> _events = new();

        public IReadOnlyList<string> Events => [.. _events];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == Changed)
                _events.Enqueue(formatter(state, exception));
        }

        public void Dispose()
        {
        }
    }
}
