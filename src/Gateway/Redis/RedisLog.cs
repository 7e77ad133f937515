namespace Gateway.Redis;

internal static partial class RedisLog
{
    [LoggerMessage(2000, LogLevel.Warning, "Redis ({Connection}) is unavailable: {Why}. Requests go on without it.")]
    public static partial void Unavailable(ILogger logger, string connection, string why);

    [LoggerMessage(2001, LogLevel.Information, "Redis ({Connection}) answers.")]
    public static partial void Available(ILogger logger, string connection);

    [LoggerMessage(2002, LogLevel.Warning, "Redis ({Connection}) refused a call: {Error}")]
    public static partial void Refused(ILogger logger, string connection, string error);

    [LoggerMessage(2003, LogLevel.Information, "Embedded Redis server listens on 127.0.0.1:{Port}. Its data ends with this process.")]
    public static partial void EmbeddedStarted(ILogger logger, int port);
}
