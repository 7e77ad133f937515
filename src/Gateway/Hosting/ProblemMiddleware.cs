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
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException e)
        {
            HostingLog.RequestRefused(logger, e.StatusCode, e.Message);
            await AnswerAsync(context, e.StatusCode);
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

    private static Task AnswerAsync(HttpContext context, int status)
    {
        if (context.Response.HasStarted)
        {
            // RFC 9112 §8: the client must see that the message is incomplete.
            context.Abort();
            return Task.CompletedTask;
        }

        context.Response.Clear();
        return WriteAsync(context, status);
    }

    private static Task WriteAsync(HttpContext context, int status) =>
        TypedResults.Problem(statusCode: status).ExecuteAsync(context);

    private void Note(HttpContext context, IForwarderErrorFeature failure)
    {
        if (failure.Error is ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient
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
        return context.GetEndpoint() is not RouteEndpoint
            || context.Response.StatusCode is StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden;
    }
}
