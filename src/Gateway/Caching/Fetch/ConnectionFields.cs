using Gateway.Caching.Semantics;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Removes the response fields that the origin's <c>Connection</c> names: they are for that connection alone (RFC 9110
/// §7.6.1), and neither forwarded nor stored (RFC 9111 §3.1). YARP drops <c>Connection</c> itself, so that later
/// nobody could tell which they were.
/// </summary>
internal sealed class ConnectionFields : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    public void Apply(TransformBuilderContext context) => context.AddResponseTransform(Remove);

    /// <summary>The members of all lines of a <c>Connection</c> field.</summary>
    public static IEnumerable<string> NamesIn(IEnumerable<string?> lines) =>
        lines.SelectMany(line => (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    private static ValueTask Remove(ResponseTransformContext context)
    {
        if (context.ProxyResponse is { } response && response.Headers.NonValidated.TryGetValues(HeaderNames.Connection, out var lines))
        {
            foreach (var name in NamesIn(lines))
            {
                if (FieldRules.CanBeNominated(name))
                    context.HttpContext.Response.Headers.Remove(name);
            }
        }

        return default;
    }
}
