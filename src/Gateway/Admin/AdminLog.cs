namespace Gateway.Admin;

internal static partial class AdminLog
{
    [LoggerMessage(9000, LogLevel.Information, "Admin change: {Method} {Endpoint} ({Values}) by {Caller} from {Address} was answered {Status}.")]
    public static partial void Changed(ILogger logger, string method, string endpoint, string values, string caller, string address, int status);
}
