namespace Gateway.Tokens;

/// <summary>Events 6000 to 6999. No token, and nothing a token says, is in any of them.</summary>
internal static partial class TokensLog
{
    [LoggerMessage(6000, LogLevel.Information, "Keys read from {Source}: {Count}")]
    public static partial void KeysRead(ILogger logger, string source, int count);

    [LoggerMessage(6001, LogLevel.Warning, "Keys cannot be read from {Source}: {Why}. The last {Count} good ones stay in use.")]
    public static partial void KeysUnavailable(ILogger logger, string source, string why, int count);

    [LoggerMessage(6002, LogLevel.Debug, "A token was refused by the scheme {Scheme}: {Refusal}")]
    public static partial void Refused(ILogger logger, string scheme, TokenRefusal refusal);

    [LoggerMessage(6003, LogLevel.Warning, "The provider of the scheme {Scheme} cannot be asked about tokens: {Why}. Known tokens go on, others are answered 503.")]
    public static partial void IntrospectionFailed(ILogger logger, string scheme, string why);

    [LoggerMessage(6004, LogLevel.Information, "API key {Id} made for the scheme {Scheme}.")]
    public static partial void ApiKeyCreated(ILogger logger, string id, string scheme);

    [LoggerMessage(6005, LogLevel.Information, "API key {Id} rotated; the one before passes for {Overlap} s more.")]
    public static partial void ApiKeyRotated(ILogger logger, string id, long overlap);

    [LoggerMessage(6006, LogLevel.Information, "API key {Id} revoked.")]
    public static partial void ApiKeyRevoked(ILogger logger, string id);

    [LoggerMessage(6010, LogLevel.Information, "Revoked on request: {What}, schemes {Schemes}")]
    public static partial void Revoked(ILogger logger, string what, string schemes);

    [LoggerMessage(6011, LogLevel.Information, "{Count} revocations that Redis had lost are written back.")]
    public static partial void RevocationsWrittenBack(ILogger logger, int count);

    [LoggerMessage(6012, LogLevel.Error, "Revocations could not be written back: Redis holds as many as it may.")]
    public static partial void RevocationsDoNotFit(ILogger logger);

    [LoggerMessage(6013, LogLevel.Error, "Reading the revocations failed. It is tried again.")]
    public static partial void RevocationsFailed(ILogger logger, Exception exception);
}
