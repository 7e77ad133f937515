namespace Gateway.Caching;

internal static partial class HttpCacheLog
{
    [LoggerMessage(4000, LogLevel.Warning, "A stale response of route {Route} could not be refreshed in the background.")]
    public static partial void RefreshFailed(ILogger logger, Exception exception, string route);

    [LoggerMessage(4001, LogLevel.Error, "The locks of running fetches could not be extended; it is tried again in a second.")]
    public static partial void ExtensionFailed(ILogger logger, Exception exception);
}
