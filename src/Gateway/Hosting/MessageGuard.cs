using Gateway.Caching.Fetch;
using Gateway.Caching.Semantics;

namespace Gateway.Hosting;

/// <summary>What HTTP demands of an intermediary before it forwards a request, and YARP leaves to others.</summary>
internal static class MessageGuard
{
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
    /// they had not been sent. RFC 9110 §7.6.1. Where it also says <c>close</c>, <c>keep-alive</c> or <c>Upgrade</c>, in this line
    /// or another, the server leaves that word alone: fields that it names beside one go on.
    /// </summary>
    public static void RemoveNominated(IHeaderDictionary fields)
    {
        var lines = fields.Connection;
        if (lines.Count == 0 || (lines.Count == 1 && NamesNoField(lines[0])))
            return;
        foreach (var name in ConnectionFields.NamesIn(lines))
        {
            if (FieldRules.CanBeNominated(name))
                fields.Remove(name);
        }
    }

    // Nearly all there are.
    private static bool NamesNoField(string? option) =>
        string.Equals(option, "keep-alive", StringComparison.OrdinalIgnoreCase) || string.Equals(option, "close", StringComparison.OrdinalIgnoreCase)
        || string.Equals(option, "Upgrade", StringComparison.OrdinalIgnoreCase);

    // Methods have a case (RFC 9110 §9.1). YARP forwards "head" as HEAD, but the server sends its answer as one with a body,
    // which never comes.
    private static bool IsHeadInAnotherCase(string method) => method.Length == 4 && method != "HEAD" && HttpMethods.IsHead(method);

    private static Task RefuseAsync(HttpContext context) => TypedResults.Problem(
        statusCode: StatusCodes.Status501NotImplemented, detail: $"'{context.Request.Method}' is no method. Methods have a case: write HEAD.").ExecuteAsync(context);
}
