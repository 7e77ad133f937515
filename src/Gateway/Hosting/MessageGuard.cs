using System.Globalization;
using Gateway.Caching.Fetch;
using Gateway.Caching.Semantics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Gateway.Hosting;

/// <summary>What HTTP demands of an intermediary before it forwards a request, and YARP leaves to others.</summary>
internal static class MessageGuard
{
    // A name of 253 characters, a colon and a port.
    private const int MaxHostLength = 259;

    /// <summary>Put it before all that reads fields: routes, limits, identity and keys must see what backends will.</summary>
    public static IApplicationBuilder UseMessageGuard(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (Refusal(context) is var (status, detail) && status != 0)
            return TypedResults.Problem(statusCode: status, detail: detail).ExecuteAsync(context);
        if (context.Request.Headers.MaxForwards.Count > 0 && HttpMethods.IsOptions(context.Request.Method) && IsLastOf(context.Request.Headers))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

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

    private static (int Status, string Detail) Refusal(HttpContext context)
    {
        var request = context.Request;
        if (!IsHost(request.Headers.Host))
            return (StatusCodes.Status400BadRequest, "The Host field holds no host that a request can be sent to.");
        if (request.Headers.TransferEncoding is { Count: > 0 } codings && !IsChunkedAlone(codings))
            return (StatusCodes.Status501NotImplemented, "The gateway knows no transfer coding but chunked.");
        if (request.Method is "GET" or "POST" or "HEAD")
            return default;
        // Methods have a case (RFC 9110 §9.1), and YARP forwards "post" as POST.
        if (HttpMethods.GetCanonicalizedValue(request.Method) is var known && known != request.Method)
            return (StatusCodes.Status501NotImplemented, $"'{request.Method}' is no method. Methods have a case: write {known}.");
        // What a TRACE shows, fields of the gateway's own among it, is for nobody; tunnels but WebSockets (RFC 8441) are not made.
        var isForbidden = request.Method is "TRACE" || (request.Method is "CONNECT" && context.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true });
        return isForbidden ? (StatusCodes.Status501NotImplemented, $"The gateway does not implement {request.Method}.") : default;
    }

    // The server lets through what the client of the origin does not: that would send two Host fields. RFC 9112 §3.2.
    private static bool IsHost(StringValues field)
    {
        if (field.Count != 1 || field[0] is not { } host)
            return field.Count == 0;
        if (host.Length is 0 or > MaxHostLength)
            return false;
        var colon = host.LastIndexOf(':');
        return colon < 0 || host[^1] == ']' || colon == host.Length - 1 || ushort.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    // RFC 9112 §6.1.
    private static bool IsChunkedAlone(StringValues codings) =>
        codings is [{ } coding] && coding.AsSpan().Trim(" \t").Equals("chunked", StringComparison.OrdinalIgnoreCase);

    // RFC 9110 §7.6.2: each intermediary takes one off, and the one that finds none left answers.
    private static bool IsLastOf(IHeaderDictionary fields)
    {
        if (!uint.TryParse(fields.MaxForwards, NumberStyles.None, CultureInfo.InvariantCulture, out var left))
            return false;
        if (left == 0)
            return true;
        fields.MaxForwards = (left - 1).ToString(CultureInfo.InvariantCulture);
        return false;
    }
}
