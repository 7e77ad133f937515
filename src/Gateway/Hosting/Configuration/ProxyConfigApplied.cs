using Yarp.ReverseProxy.Configuration;

namespace Gateway.Hosting.Configuration;

/// <summary>Tells when YARP has made its routes of a configuration: it does so after the change was signalled.</summary>
internal sealed class ProxyConfigApplied : IConfigChangeListener
{
    private volatile Waiter? _waiter;

    /// <summary>A task that ends when <paramref name="routes"/> are in force, and fails if YARP refuses them.</summary>
    public Task WaitFor(IReadOnlyList<RouteConfig> routes)
    {
        var waiter = new Waiter(routes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _waiter = waiter;
        return waiter.Done.Task;
    }

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) =>
        _waiter?.Done.TrySetException(exception);

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
        if (_waiter is { } waiter && proxyConfigs.Any(config => ReferenceEquals(config.Routes, waiter.Routes)))
            waiter.Done.TrySetResult();
    }

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) =>
        _waiter?.Done.TrySetException(exception);

    private sealed record Waiter(IReadOnlyList<RouteConfig> Routes, TaskCompletionSource Done);
}
