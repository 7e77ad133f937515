namespace Gateway.Caching.Invalidation;

internal static partial class InvalidationLog
{
    [LoggerMessage(4100, LogLevel.Information, "A {Hardness} purge is written to the change log: {Count} selectors of the kinds {Kinds}.")]
    public static partial void Purging(ILogger logger, string hardness, int count, string kinds);
}
