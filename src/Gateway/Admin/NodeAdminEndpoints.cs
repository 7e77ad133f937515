using System.Reflection;
using Gateway.ChangeLog;
using Gateway.Hosting;

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

    /// <summary><c>GET /</c>: what this node is, and which endpoints the admin listener has.</summary>
    public static void MapNodeAdmin(this IEndpointRouteBuilder admin) =>
        admin.MapGet("/", (NodeIdentity node, NodeStart start, GatewayAddresses addresses) => TypedResults.Json(new
        {
            node = node.Id,
            version = Version,
            uptimeSeconds = (long)start.Uptime.TotalSeconds,
            listens = new { @public = addresses.Public, admin = addresses.Admin },
            endpoints = Describe(admin.DataSources),
        }));

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
