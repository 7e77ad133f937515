namespace Gateway.Sessions;

/// <summary>Events 7000 to 7999.</summary>
internal static partial class SessionsLog
{
    [LoggerMessage(7000, LogLevel.Information, "DataProtection keys: {Learned} learned from other nodes, {Written} written to Redis")]
    public static partial void KeysSynchronized(ILogger logger, int learned, int written);

    [LoggerMessage(7001, LogLevel.Warning, "The DataProtection key '{Name}' in Redis cannot be read: it is left out")]
    public static partial void KeyUnreadable(ILogger logger, string name);

    [LoggerMessage(7002, LogLevel.Error, "Reading keys and drains from Redis failed. It is tried again.")]
    public static partial void SynchronizationFailed(ILogger logger, Exception exception);

    [LoggerMessage(7003, LogLevel.Information, "Destinations that get no new sessions: {Drains}")]
    public static partial void DrainsChanged(ILogger logger, string drains);

    [LoggerMessage(7010, LogLevel.Information, "Sessions of a subject ended on request: {Count}")]
    public static partial void SessionsEnded(ILogger logger, int count);

    [LoggerMessage(7011, LogLevel.Warning, "A session cannot be read: it was protected by a key that is unknown or revoked, or was changed in Redis.")]
    public static partial void SessionUnreadable(ILogger logger);

    [LoggerMessage(7012, LogLevel.Warning, "What a request changed in its session is lost: Redis did not answer, and the response had begun.")]
    public static partial void SessionLost(ILogger logger);
}
