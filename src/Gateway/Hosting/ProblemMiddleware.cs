using System.Text.Json;
using Gateway.Admin;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Hosting;

/// <summary>
/// Answers failures as <c>application/problem+json</c> (RFC 9457) without telling anything about the inside, and gives
/// the gateway's own empty errors such a body. What an origin answered is never touched.
/// </summary>
internal sealed class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (!IsHostReadable(context.Request))
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "The Host field holds an international name that cannot be decoded.");
            return;
        }

        try
        {
            await next(context);
        }
        catch (BadHttpRequestException e)
        {
            HostingLog.RequestRefused(logger, e.StatusCode, e.Message);
            await AnswerAsync(context, e.StatusCode, DetailOf(e));
            return;
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is (OperationCanceledException or IOException))
        {
            // The client is gone: nobody reads an answer, and nothing is wrong here.
            return;
        }
        catch (Exception e)
        {
            HostingLog.RequestFailed(logger, e, context.Request.Method, Route(context));
            await AnswerAsync(context, StatusCodes.Status500InternalServerError);
            return;
        }

        if (context.Features.Get<IForwarderErrorFeature>() is { } failure)
            Note(context, failure);
        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null } && IsOurs(context))
            await WriteAsync(context, context.Response.StatusCode);
    }

    // The framework decodes names of the form xn--… wherever it is asked for the host, and where a proxy names it, and throws.
    private static bool IsHostReadable(HttpRequest request) =>
        IsHostReadable(request.Headers.Host) && IsHostReadable(request.Headers[ForwardedHeadersDefaults.XForwardedHostHeaderName]);

    private static bool IsHostReadable(StringValues field)
    {
        if (field.Count == 0 || !field.Any(line => line?.Contains("xn--", StringComparison.Ordinal) == true))
            return true;
        try
        {
            return field.SelectMany(line => (line ?? "").Split(',')).All(host => HostString.FromUriComponent(host.Trim()) is var _);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, string? detail = null)
    {
        if (context.Response.HasStarted)
        {
            // RFC 9112 §8: the client must see that the message is incomplete.
            context.Abort();
            return Task.CompletedTask;
        }

        context.Response.Clear();
        return WriteAsync(context, status, detail);
    }

    private static Task WriteAsync(HttpContext context, int status, string? detail = null) =>
        TypedResults.Problem(statusCode: status, detail: detail).ExecuteAsync(context);

    // Where a body is not the JSON it should be, without the names of types that the exception's own text holds.
    private static string? DetailOf(BadHttpRequestException e) => e.InnerException is JsonException json
        ? $"The body is not the JSON expected here: {json.Path ?? "$"}, line {(json.LineNumber ?? 0) + 1}."
        : null;

    private void Note(HttpContext context, IForwarderErrorFeature failure)
    {
        // Without a client that left, "the client's side" of a copy is this gateway's own code.
        if (context.RequestAborted.IsCancellationRequested && failure.Error is ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient
            or ForwarderError.ResponseBodyCanceled or ForwarderError.ResponseBodyClient
            or ForwarderError.UpgradeRequestCanceled or ForwarderError.UpgradeRequestClient
            or ForwarderError.UpgradeResponseCanceled or ForwarderError.UpgradeResponseClient)
            HostingLog.ForwardingEnded(logger, Route(context), failure.Error);
        else
            HostingLog.ForwardingFailed(logger, Route(context), failure.Error, failure.Exception?.GetBaseException().Message);
    }

    private static string Route(HttpContext context) =>
        (context.GetEndpoint() as RouteEndpoint)?.DisplayName ?? "(none)";

    // No endpoint (404, refused host), an endpoint that is none (405), a refused identity, or YARP without an origin's answer.
    private static bool IsOurs(HttpContext context)
    {
        if (context.Features.Get<IReverseProxyFeature>() is { } proxy)
            return proxy.ProxiedDestination is null || context.Features.Get<IForwarderErrorFeature>() is not null;
        // The compiled delegate of an admin endpoint throws nothing where an optional parameter does not bind.
        return context.GetEndpoint() is not RouteEndpoint endpoint
            || endpoint.Metadata.Contains(AdminEndpoint.Instance)
            || context.Response.StatusCode is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden;
    }
}
