using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Hosting;
using Microsoft.Extensions.Options;

namespace Gateway.Admin;

/// <summary>
/// Who may use the admin listener: callers that hold the key. Without a key, programs on this machine, but no web page
/// that a browser on it happens to show. Health answers everyone.
/// </summary>
internal sealed class AdminAccessMiddleware(RequestDelegate next, IOptionsMonitor<AdminOptions> options, GatewayAddresses addresses)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.Equals("/healthz") || context.Request.Path.Equals("/readyz"))
            return next(context);

        if (options.CurrentValue.ApiKey is { Length: > 0 } key)
            return HoldsKey(context.Request, key) ? next(context) : RefuseAsync(context, StatusCodes.Status401Unauthorized, "Send the admin key as 'Authorization: Bearer …' or 'X-Api-Key'.");

        // The listener stays where it was bound at start, even if a reload took the key away.
        if (!addresses.AdminIsLocal)
            return RefuseAsync(context, StatusCodes.Status403Forbidden, "Admin:ApiKey is not configured.");
        return IsFromThisMachine(context.Request)
            ? next(context)
            : RefuseAsync(context, StatusCodes.Status403Forbidden, "Without Admin:ApiKey, requests of web pages and for foreign hosts are refused.");
    }

    private static bool HoldsKey(HttpRequest request, string key)
    {
        const string bearer = "Bearer ";
        var authorization = request.Headers.Authorization.ToString();
        var given = authorization.StartsWith(bearer, StringComparison.OrdinalIgnoreCase)
            ? authorization[bearer.Length..].Trim()
            : request.Headers["X-Api-Key"].ToString();

        // Hashed, so that the comparison takes the same time whatever the given key's length and content.
        return CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(key)));
    }

    // A page elsewhere can make a browser send requests here (cross-site), or become same-site by pointing its own name
    // at this address (DNS rebinding): the first shows in Sec-Fetch-Site and Origin, the second in Host.
    private static bool IsFromThisMachine(HttpRequest request)
    {
        if (!IsLocalName(request.Host.Host))
            return false;
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site.ToString() is not ("same-origin" or "none"))
            return false;
        return request.Headers.Origin is not { Count: > 0 } origin
            || origin.ToString().Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static Task RefuseAsync(HttpContext context, int status, string detail)
    {
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"admin\"";
        return TypedResults.Problem(statusCode: status, detail: detail).ExecuteAsync(context);
    }
}
