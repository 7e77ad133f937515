using Gateway.Hosting.Configuration;

namespace Gateway.Admin;

internal static class ConfigurationAdminEndpoints
{
    /// <summary><c>GET /config</c>: which configuration runs, and why the last change was refused. No values, no secrets.</summary>
    public static void MapConfigurationAdmin(this IEndpointRouteBuilder admin) =>
        admin.MapGet("/config", (ConfigurationReloader configuration) => TypedResults.Json(configuration.Status));
}
