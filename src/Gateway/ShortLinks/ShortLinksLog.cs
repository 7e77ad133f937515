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
}
