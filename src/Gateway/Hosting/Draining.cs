using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>
/// What happens between SIGTERM and the end: not ready at once, go on serving for <see cref="HostingOptions.DrainSeconds"/>,
/// then let the web host close its listeners and wait for the running requests.
/// </summary>
internal sealed class Draining(
    IOptionsMonitor<HostingOptions> options, TimeProvider time, ILogger<Draining> logger) : IHostedLifecycleService
{
    private volatile bool _isDraining;

    public bool IsDraining => _isDraining;

    /// <summary>Ends each connection of HTTP/1 with its next response: its client then connects to a node that stays.</summary>
    public void CloseConnection(HttpContext context)
    {
        if (_isDraining && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            context.Response.OnStarting(static state =>
            {
                ((HttpResponse)state).Headers.Connection = "close";
                return Task.CompletedTask;
            }, context.Response);
        }
    }

    // The host awaits this before it stops any service, the web server included.
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _isDraining = true;
        var seconds = options.CurrentValue.DrainSeconds;
        HostingLog.Draining(logger, seconds);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(seconds), time, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The shutdown timeout is over: go on to the stop.
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
