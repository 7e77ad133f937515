using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Hosting;

/// <summary>Events 1000 to 1999.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1000, LogLevel.Information, "Configuration {Version} is in force: {Routes} routes, {Clusters} clusters")]
    public static partial void ConfigurationAccepted(ILogger logger, int version, int routes, int clusters);

    [LoggerMessage(1001, LogLevel.Error, "The changed configuration was refused, the running one stays. {Count} errors:\n  {Errors}")]
    public static partial void ConfigurationRejected(ILogger logger, int count, string errors);

    [LoggerMessage(1011, LogLevel.Information, "Draining: not ready any more, serving for another {Seconds} s")]
    public static partial void Draining(ILogger logger, int seconds);

    [LoggerMessage(1020, LogLevel.Error, "A request failed inside the gateway: {Method} {Route}")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string route);

    [LoggerMessage(1021, LogLevel.Debug, "A request was refused with {Status}: {Reason}")]
    public static partial void RequestRefused(ILogger logger, int status, string reason);

    [LoggerMessage(1022, LogLevel.Warning, "Forwarding failed at the origin: route {Route}, {Error}, {Reason}")]
    public static partial void ForwardingFailed(ILogger logger, string route, ForwarderError error, string? reason);

    [LoggerMessage(1023, LogLevel.Debug, "Forwarding ended by the client: route {Route}, {Error}")]
    public static partial void ForwardingEnded(ILogger logger, string route, ForwarderError error);
}
