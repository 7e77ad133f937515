using System.Net;
using Gateway.Caching.Fetch;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Hosting;

/// <summary>
/// What HTTP demands of an intermediary before it forwards a response, and YARP leaves to others: one that no client could
/// read rightly becomes a 502 (Bad Gateway) and is not stored, as if the origin could not be reached; and a response
/// without content announces none.
/// </summary>
internal sealed class ResponseGuard : ITransformProvider
{
    private static readonly HashSet<string> Compressions = new(StringComparer.OrdinalIgnoreCase) { "compress", "deflate", "gzip", "x-compress", "x-gzip" };

    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context) => context.AddResponseTransform(Check);

    private static ValueTask Check(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } response)
            return default;
        if (!IsStatus(response) || !IsReadable(response))
            Refuse(context, response);
        else if (response.StatusCode is HttpStatusCode.NoContent)
            context.HttpContext.Response.ContentLength = null;
        else if (response.StatusCode is HttpStatusCode.ResetContent)
            (context.HttpContext.Response.ContentLength, context.SuppressResponseBody) = (0, true);
        return default;
    }

    // Two digits are no status (RFC 9112 §4); one above 599 is passed on, and not stored. RFC 9110 §15.2.2: nobody switches protocols who was not asked to.
    private static bool IsStatus(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.SwitchingProtocols
        ? response.RequestMessage?.Headers.NonValidated.Contains(HeaderNames.Upgrade) == true
        : (int)response.StatusCode >= 100;

    // Octets in a coding that nobody takes off again are not the content: RFC 9112 §7.2. What is no coding at all says nothing of them.
    private static bool IsReadable(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues(HeaderNames.TransferEncoding, out var lines))
            return true;
        return (lines.Count == 1 && lines.ToString() == "chunked") || !ConnectionFields.NamesIn(lines).Any(Compressions.Contains);
    }

    private static void Refuse(ResponseTransformContext context, HttpResponseMessage response)
    {
        var http = context.HttpContext;
        foreach (var (name, _) in response.Headers.NonValidated)
            http.Response.Headers.Remove(name);
        foreach (var (name, _) in response.Content.Headers.NonValidated)
            http.Response.Headers.Remove(name);
        http.Response.StatusCode = StatusCodes.Status502BadGateway;
        http.Features.Set<IForwarderErrorFeature>(new Unreadable());
        context.SuppressResponseBody = true;
    }

    private sealed class Unreadable : IForwarderErrorFeature
    {
        public ForwarderError Error => ForwarderError.ResponseHeaders;

        public Exception? Exception => null;
    }
}
