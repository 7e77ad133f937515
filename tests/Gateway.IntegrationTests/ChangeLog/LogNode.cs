using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.IntegrationTests.ChangeLog;

/// <summary>A node that does nothing but take part in the change log.</summary>
internal sealed class LogNode : IAsyncDisposable
{
    private readonly IHost _host;

    private LogNode(IHost host) => _host = host;

    public SharedChangeLog Log => _host.Services.GetRequiredService<SharedChangeLog>();

    public AppliedChanges Applied => _host.Services.GetRequiredService<AppliedChanges>();

    public RedisConnection Redis => _host.Services.GetRequiredService<RedisConnection>();

    public string Id => _host.Services.GetRequiredService<NodeIdentity>().Id;

    public static async Task<LogNode> StartAsync(string? redis, string deadline = "00:00:02")
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Redis:Configuration", redis), new("Redis:Deadline", deadline)]);
        builder.Services.AddLogging().AddMetrics();
        builder.Services.AddChangeLog();
        var host = builder.Build();
        await host.StartAsync();
        return new LogNode(host);
    }

    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
