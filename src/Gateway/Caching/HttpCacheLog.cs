namespace Gateway.Caching;

internal static partial class HttpCacheLog
{
    [LoggerMessage(4000, LogLevel.Warning, "A stale response of route {Route} could not be refreshed in the background.")]
    public static partial void RefreshFailed(ILogger logger, Exception exception, string route);
}
