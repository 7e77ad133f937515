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
}
