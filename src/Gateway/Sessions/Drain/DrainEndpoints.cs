using Microsoft.AspNetCore.Http.HttpResults;
using Yarp.ReverseProxy;

namespace Gateway.Sessions.Drain;

/// <summary>Drains of destinations on the admin listener.</summary>
internal static class DrainEndpoints
{
    /// <summary>
    /// <c>POST /sessions/drain</c> with a <see cref="DrainRequest"/>: the destination keeps its sessions and gets no new
    /// ones. <c>DELETE /sessions/drain?cluster=…&amp;destination=…</c> ends that; <c>GET /sessions/drain</c> lists.
    /// </summary>
    public static void MapDrainsAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/sessions/drain", List);
        admin.MapPost("/sessions/drain", BeginAsync);
        admin.MapDelete("/sessions/drain", EndAsync);
    }

    private static Ok<DrainList> List(DrainedDestinations drained) => TypedResults.Ok(new DrainList(
        [.. drained.All.Select(one => new DrainRequest(one.Cluster, one.Destination)).OrderBy(one => one.Cluster, StringComparer.Ordinal).ThenBy(one => one.Destination, StringComparer.Ordinal)]));

    private static async Task<Results<NoContent, ValidationProblem, ProblemHttpResult>> BeginAsync(
        DrainRequest request, DrainedDestinations drained, IProxyStateLookup proxy, HttpResponse response, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (string.IsNullOrEmpty(request.Cluster) || !proxy.TryGetCluster(request.Cluster, out var cluster))
            errors["cluster"] = [$"Write one of: {Names(proxy.GetClusters().Select(one => one.ClusterId))}."];
        else if (string.IsNullOrEmpty(request.Destination) || !cluster.Destinations.ContainsKey(request.Destination))
            errors["destination"] = [$"Write one of: {Names(cluster.Destinations.Keys)}."];
        if (errors.Count > 0)
            return TypedResults.ValidationProblem(errors, title: "The request names no destination of the running configuration.");

        return await drained.TryAddAsync(new DrainedDestination(request.Cluster!, request.Destination!), cancellationToken)
            ? TypedResults.NoContent()
            : Unavailable(response);
    }

    private static async Task<Results<NoContent, ValidationProblem, ProblemHttpResult>> EndAsync(
        DrainedDestinations drained, HttpResponse response, CancellationToken cancellationToken, string? cluster = null, string? destination = null)
    {
        if (string.IsNullOrEmpty(cluster) || string.IsNullOrEmpty(destination))
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["query"] = ["Name both: ?cluster=…&destination=…"] }, title: "The request names no destination.");
        }

        if (!drained.Contains(cluster, destination))
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "This destination is not draining.");
        return await drained.TryRemoveAsync(new DrainedDestination(cluster, destination), cancellationToken)
            ? TypedResults.NoContent()
            : Unavailable(response);
    }

    private static ProblemHttpResult Unavailable(HttpResponse response)
    {
        response.Headers.RetryAfter = "1";
        return TypedResults.Problem(
            statusCode: StatusCodes.Status503ServiceUnavailable, title: "Redis does not answer: the change may not be in force.");
    }

    private static string Names(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal).Take(20));
}

/// <summary>A destination of a cluster, both by their names in the configuration.</summary>
internal sealed record DrainRequest(string? Cluster = null, string? Destination = null);

/// <summary>The destinations that get no new sessions.</summary>
internal sealed record DrainList(IReadOnlyList<DrainRequest> Draining);
