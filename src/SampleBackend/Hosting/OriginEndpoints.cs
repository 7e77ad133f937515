using Microsoft.Extensions.Options;

namespace SampleBackend.Hosting;

/// <summary>What tests and probes ask about the backend itself: <c>/healthz</c> and <c>/_origin/count?path=…</c>.</summary>
internal static class OriginEndpoints
{
    public static void MapOrigin(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", (HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            return TypedResults.Text("ok\n");
        });
        routes.MapGet("/_origin/count", Count);
    }

    private static IResult Count(HttpContext context, RequestCounts counts, IOptions<BackendOptions> backend)
    {
        context.Response.Headers.CacheControl = "no-store";
        var path = context.Request.Query["path"].ToString();
        if (path.Length == 0) return Problems.BadRequest("path: say which path to count, as /_origin/count?path=/catalog/1.");
        return TypedResults.Json(new PathCount(backend.Value.Name, path, counts.Of(path)), StorefrontJson.Default.PathCount);
    }
}

internal sealed record PathCount(string Backend, string Path, long Count);
