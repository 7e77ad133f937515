namespace Gateway.ChangeLog;

internal static partial class ChangeLogLog
{
    [LoggerMessage(3000, LogLevel.Information, "The change log begins a new epoch for this node: what it stored before is dropped.")]
    public static partial void EpochChanged(ILogger logger);

    [LoggerMessage(3001, LogLevel.Information, "{Count} changes made while Redis was away are in the change log now.")]
    public static partial void PendingWritten(ILogger logger, int count);

    [LoggerMessage(3002, LogLevel.Error, "Reading the change log failed. It is tried again.")]
    public static partial void PollFailed(ILogger logger, Exception exception);

    [LoggerMessage(3003, LogLevel.Warning, "More than 10,000 changes wait for Redis: {Selector} takes their place.")]
    public static partial void PendingOverflow(ILogger logger, string selector);

    [LoggerMessage(3010, LogLevel.Information, "Requests under way were ended, because their tokens or sessions were: {Count}")]
    public static partial void OpenRequestsClosed(ILogger logger, int count);

    [LoggerMessage(3011, LogLevel.Error, "Looking for requests whose tokens or sessions have ended failed. It is tried again.")]
    public static partial void OpenRequestsFailed(ILogger logger, Exception exception);
}
