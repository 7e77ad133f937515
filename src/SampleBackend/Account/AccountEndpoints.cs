using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using SampleBackend.Hosting;

namespace SampleBackend.Account;

/// <summary>A personal page: it shows who the gateway says the caller is, and no shared cache may keep it.</summary>
internal static class AccountEndpoints
{
    public static void MapAccount(this IEndpointRouteBuilder routes) =>
        routes.MapMethods("/account", Representation.GetAndHead, Show);

    private static JsonHttpResult<AccountView> Show(HttpContext context, IConfiguration configuration, IOptions<BackendOptions> backend)
    {
        context.Response.Headers.CacheControl = "private";
        var prefix = configuration["Account:IdentityFieldPrefix"] ?? "X-Auth-";
        var identity = context.Request.Headers
            .Where(field => field.Key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(field => field.Key, field => field.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        // Whether credentials arrived is worth showing; the credentials are not.
        return TypedResults.Json(
            new AccountView(backend.Value.Name, identity, context.Request.Headers.Authorization.Count > 0),
            StorefrontJson.Default.AccountView);
    }
}

internal sealed record AccountView(string Backend, Dictionary<string, string> Identity, bool AuthorizationReceived);
