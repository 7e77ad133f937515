using Microsoft.Net.Http.Headers;

namespace Gateway.Hosting;

/// <summary>What HTTP demands of an intermediary before it forwards a request, and YARP leaves to others.</summary>
internal static class MessageGuard
{
    // The server has acted on them already, or needs them for an upgrade. YARP does not forward what is for one connection.
    private static readonly HashSet<string> Kept = new(StringComparer.OrdinalIgnoreCase)
    {
        HeaderNames.Connection, HeaderNames.ContentLength, HeaderNames.Host, HeaderNames.TransferEncoding, HeaderNames.Upgrade,
    };

    /// <summary>Put it before all that reads fields: routes, limits, identity and keys must see what backends will.</summary>
    public static IApplicationBuilder UseMessageGuard(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (IsHeadInAnotherCase(context.Request.Method))
            return RefuseAsync(context);
        RemoveNominated(context.Request.Headers);
        return next(context);
    });

    /// <summary>
    /// Takes out the fields that <c>Connection</c> names: they are for the connection to the gateway alone, and end here as if
    /// they had not been sent. RFC 9110 §7.6.1. Of "close, X-Hop" the server leaves "close" only: those it hides go on.
    /// </summary>
    public static void RemoveNominated(IHeaderDictionary fields)
    {
        foreach (var line in fields.Connection)
        {
            if (line is null || NamesNoField(line))
                continue;
            foreach (var name in line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!Kept.Contains(name))
                    fields.Remove(name);
            }
        }
    }

    // Nearly all there are.
    private static bool NamesNoField(string options) =>
        options.Equals("keep-alive", StringComparison.OrdinalIgnoreCase) || options.Equals("close", StringComparison.OrdinalIgnoreCase)
        || options.Equals("Upgrade", StringComparison.OrdinalIgnoreCase);

    // Methods have a case (RFC 9110 §9.1). YARP forwards "head" as HEAD, but the server sends its answer as one with a body,
    // which never comes.
    private static bool IsHeadInAnotherCase(string method) => method.Length == 4 && method != "HEAD" && HttpMethods.IsHead(method);

    private static Task RefuseAsync(HttpContext context) => TypedResults.Problem(
        statusCode: StatusCodes.Status501NotImplemented, detail: $"'{context.Request.Method}' is no method. Methods have a case: write HEAD.").ExecuteAsync(context);
}
