namespace Gateway.RateLimiting;

/// <summary>Events 5000 to 5999.</summary>
internal static partial class RateLimitingLog
{
    [LoggerMessage(5000, LogLevel.Error, "Renewing the permits of running requests failed. It is tried again.")]
    public static partial void RenewalFailed(ILogger logger, Exception exception);

    [LoggerMessage(5001, LogLevel.Error, "Reading the allow and deny lists, sending who was rejected, or counting the nodes failed. It is tried again.")]
    public static partial void SynchronizationFailed(ILogger logger, Exception exception);

    [LoggerMessage(5002, LogLevel.Information, "Allow and deny lists: {Count} entries")]
    public static partial void ListsChanged(ILogger logger, int count);

    [LoggerMessage(5003, LogLevel.Warning, "The entry '{Id}' of the allow and deny lists cannot be read: it is left out")]
    public static partial void EntryUnreadable(ILogger logger, string id);

    [LoggerMessage(5004, LogLevel.Information, "Redis had lost the allow and deny lists: {Count} entries are written back")]
    public static partial void ListsRestored(ILogger logger, int count);
}
