using System.Reflection;
using Gateway.ChangeLog;
using Gateway.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Admin;

/// <summary>When this process began to serve, for its uptime.</summary>
internal sealed class NodeStart(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public TimeSpan Uptime => time.GetElapsedTime(_start);
}

internal static class NodeAdminEndpoints
{
    private static readonly string Version =
        typeof(NodeAdminEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary><c>GET /</c>: what this node is, and which endpoints the admin listener has. <c>GET /nodes</c>: all nodes.</summary>
    public static void MapNodeAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/nodes", ListAsync);
        admin.MapGet("/", IResult (NodeIdentity node, NodeStart start, GatewayAddresses addresses) => TypedResults.Json(new
        {
            node = node.Id,
            version = Version,
            uptimeSeconds = (long)start.Uptime.TotalSeconds,
            listens = new { @public = addresses.Public, admin = addresses.Admin },
            endpoints = Describe(admin.DataSources),
        }));
    }

    private static async Task<Results<Ok<NodeList>, ProblemHttpResult>> ListAsync(
        SharedChangeLog log, NodeIdentity self, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await log.ReadNodesAsync(cancellationToken) is not { } known)
        {
            response.Headers.RetryAfter = "1";
            return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Redis does not answer: the nodes are not known.");
        }

        return TypedResults.Ok(new NodeList(known.Epoch, [.. known.Nodes.Select(node => new ListedNode(
            node.Id, node.Id == self.Id, (long)node.SinceLastPoll.TotalMilliseconds, node.MayHoldLease, node.Epoch, node.Number))]));
    }

    private static List<string> Describe(IEnumerable<EndpointDataSource> sources) =>
        [.. sources
            .SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Select(endpoint => $"{Methods(endpoint)} {endpoint.RoutePattern.RawText}")
            .Order(StringComparer.Ordinal)];

    private static string Methods(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is { HttpMethods.Count: > 0 } methods
            ? string.Join(",", methods.HttpMethods)
            : "GET";
}

/// <summary>The nodes that polled the change log within the last minute.</summary>
/// <param name="Epoch">The change log's epoch.</param>
/// <param name="Nodes">The nodes.</param>
internal sealed record NodeList(long Epoch, IReadOnlyList<ListedNode> Nodes);

/// <summary>A node as the others know it.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="IsThisNode">Whether it answers here.</param>
/// <param name="MillisecondsSinceLastPoll">By the clock of Redis.</param>
/// <param name="MayHoldLease">Whether it may still count on knowing all changes.</param>
/// <param name="Epoch">The epoch it has applied; another than the list's has yet to start over.</param>
/// <param name="Number">The last change it has applied.</param>
internal sealed record ListedNode(string Id, bool IsThisNode, long MillisecondsSinceLastPoll, bool MayHoldLease, long Epoch, long Number);
