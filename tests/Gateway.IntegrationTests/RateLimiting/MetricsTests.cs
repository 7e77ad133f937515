using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class MetricsTests : LimitedNodes
{
    [Fact]
    public async Task Outcomes_and_permits_are_counted_by_policy_and_limit_and_name_no_client()
    {
        var node = await StartAsync(
            new { Name = "hard", PermitLimit = 6, Window = "01:00:00", Cost = 2, By = new[] { "Header:X-Key" } },
            new { Name = "shadow", PermitLimit = 1, Window = "01:00:00", Shadow = true, By = new[] { "Header:X-Key" } });
        var counted = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        using var listener = Listen(node.Services.GetRequiredService<IMeterFactory>(), counted);

        Assert.Equal(3, await CountAdmittedAsync([node], 5, 1, ("X-Key", "secret-key")));

        listener.RecordObservableInstruments();
        Assert.Equal(3, counted["gateway.rate_limits.requests limit= outcome=admitted policy=api"]);
        Assert.Equal(1, counted["gateway.rate_limits.requests limit=hard outcome=rejected policy=api"]);
        Assert.Equal(1, counted["gateway.rate_limits.requests limit=hard outcome=rejected-from-memory policy=api"]);
        Assert.Equal(6, counted["gateway.rate_limits.permits limit=hard policy=api"]);
        Assert.Equal(1, counted["gateway.rate_limits.permits limit=shadow policy=api"]);
        Assert.Equal(2, counted["gateway.rate_limits.shadow_rejections limit=shadow policy=api"]);
        Assert.DoesNotContain(counted.Keys, name => name.Contains("secret-key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reload_keeps_what_was_counted()
    {
        var limit = new { Name = "one", PermitLimit = 100, Window = "01:00:00", LeaseBatch = 10 };
        var node = await StartAsync(limit);
        var counted = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        using var listener = Listen(node.Services.GetRequiredService<IMeterFactory>(), counted);
        Assert.Equal(200, await StatusAsync(node));

        await node.ReloadAsync(Config(limit with { PermitLimit = 200 }));
        Assert.Equal(200, await StatusAsync(node));

        listener.RecordObservableInstruments();
        Assert.Equal(2, counted["gateway.rate_limits.requests limit= outcome=leased policy=api"]);
        Assert.Equal(2, counted["gateway.rate_limits.permits limit=one policy=api"]);
    }

    private static MeterListener Listen(IMeterFactory meters, ConcurrentDictionary<string, long> counted)
    {
        var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name.StartsWith("gateway.rate_limits.", StringComparison.Ordinal))
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var name = $"{instrument.Name} {string.Join(' ', tags.ToArray().OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"))}";
            counted[name] = value;
        });
        listener.Start();
        return listener;
    }
}
