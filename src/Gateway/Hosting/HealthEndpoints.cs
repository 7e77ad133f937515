using Gateway.Hosting.Configuration;
using Gateway.Redis;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Hosting;

internal static class HealthEndpoints
{
    /// <summary>
    /// <c>/healthz</c>: the process answers. <c>/readyz</c>: send traffic here: a configuration is in force and no drain
    /// has begun. Redis is reported, but a lost Redis does not take the node out: it serves without.
    /// </summary>
    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.Map("/healthz", () => TypedResults.Text("alive")).DisableHttpMetrics().WithMetadata(new HealthMetadata());
        endpoints.Map("/readyz", Ready).DisableHttpMetrics().WithMetadata(new HealthMetadata());
    }

    private static JsonHttpResult<Readiness> Ready(
        HttpResponse response, Draining draining, ConfigurationReloader configuration, RedisConnection redis)
    {
        response.Headers.CacheControl = "no-store";
        var state = draining.IsDraining ? "draining" : configuration.Status.Version == 0 ? "starting" : "ready";
        return TypedResults.Json(
            new Readiness(state, redis.IsAvailable ? "available" : "unavailable"),
            statusCode: state == "ready" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    internal sealed record Readiness(string Status, string Redis);
}
