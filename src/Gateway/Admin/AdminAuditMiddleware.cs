using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Gateway.Admin;

/// <summary>
/// The audit log: one event for each change that somebody with access asked the admin listener for, done or not. It says
/// who, what and with which outcome; of a body and a query it says nothing, since they can hold secrets.
/// </summary>
internal sealed class AdminAuditMiddleware(RequestDelegate next, IOptionsMonitor<AdminOptions> options, ILogger<AdminAuditMiddleware> logger)
{
    private const int MaxValueLength = 64;
    private const int ClientClosedRequest = StatusCodes.Status499ClientClosedRequest;

    public Task InvokeAsync(HttpContext context) => IsChange(context.Request.Method) ? RecordAsync(context) : next(context);

    private static bool IsChange(string method) =>
        !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !HttpMethods.IsOptions(method) && !HttpMethods.IsTrace(method);

    private async Task RecordAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception exception)
        {
            Record(context, StatusOf(exception, context.RequestAborted.IsCancellationRequested));
            throw;
        }

        Record(context, context.Response.StatusCode);
    }

    // What ProblemMiddleware, outside of this, will answer.
    private static int StatusOf(Exception exception, bool isAborted) => exception switch
    {
        BadHttpRequestException bad => bad.StatusCode,
        _ when isAborted => ClientClosedRequest,
        _ => StatusCodes.Status500InternalServerError,
    };

    private void Record(HttpContext context, int status)
    {
        // Where there is no such endpoint, nothing can have changed.
        if (context.GetEndpoint() is not RouteEndpoint endpoint)
            return;
        var values = string.Join(", ", context.Request.RouteValues.Select(value => $"{value.Key}={Printable(value.Value?.ToString() ?? "")}"));
        AdminLog.Changed(
            logger, context.Request.Method, endpoint.RoutePattern.RawText ?? "", values.Length > 0 ? values : "-", Caller(),
            (context.Connection.RemoteIpAddress ?? IPAddress.None).ToString(), status);
    }

    // Enough of a hash to tell keys apart after a change, and too little to find one by.
    private string Caller() => options.CurrentValue.ApiKey is { Length: > 0 } key
        ? "key " + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 4))
        : "a local program";

    // Callers choose these: they must not fill the log, or look like another line of it.
    private static string Printable(string value)
    {
        var text = value.Length <= MaxValueLength ? value : value[..MaxValueLength] + "…";
        return string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
    }
}
