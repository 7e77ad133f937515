namespace Gateway.ShortLinks;

/// <summary>Events 8000 to 8999.</summary>
internal static partial class ShortLinksLog
{
    [LoggerMessage(8000, LogLevel.Warning, "{Visits} visits of short links are not counted: visits of too many links wait for Redis.")]
    public static partial void VisitsLost(ILogger logger, long visits);

    [LoggerMessage(8001, LogLevel.Warning, "{Visits} visits of short links were not counted before this node stopped: Redis did not answer.")]
    public static partial void VisitsLostAtStop(ILogger logger, long visits);

    [LoggerMessage(8002, LogLevel.Error, "Writing visits of short links failed. It is tried again.")]
    public static partial void DeliveryFailed(ILogger logger, Exception exception);

    [LoggerMessage(8005, LogLevel.Error, "Writing the visits of links with a maximum back to Redis failed. It is tried again; no such link is redirected until then.")]
    public static partial void WriteBackFailed(ILogger logger, Exception exception);

    [LoggerMessage(8003, LogLevel.Warning, "The page for expired links, {Path}, cannot be read: {Problem} Their visitors get an answer without a page.")]
    public static partial void PageUnreadable(ILogger logger, string path, string problem);

    [LoggerMessage(8004, LogLevel.Warning, "An export of short links ended early after {Links} links: Redis does not answer. The connection was broken off, so that it does not look whole.")]
    public static partial void ExportBroken(ILogger logger, long links);
}
