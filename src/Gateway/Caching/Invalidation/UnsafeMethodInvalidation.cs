using Gateway.Caching.Keys;
using Gateway.ChangeLog;

namespace Gateway.Caching.Invalidation;

/// <summary>
/// A successful unsafe request invalidates what is stored for its target, and for the URLs of the same origin in
/// <c>Location</c> and <c>Content-Location</c>, on all nodes. RFC 9111 §4.4.
/// </summary>
internal sealed class UnsafeMethodInvalidation(SharedChangeLog log)
{
    /// <summary>Invalidates before the client sees the response, so that what it asks next is not answered with the old.</summary>
    public void Register(HttpContext context, HttpCachePolicy policy)
    {
        if (IsSafe(context.Request.Method))
            return;
        var exchange = new CacheExchange(context, policy);
        context.Response.OnStarting(() => InvalidateAsync(exchange));
    }

    // Safe methods: RFC 9110 §9.2.1. An unknown method is not one of them.
    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    private async Task InvalidateAsync(CacheExchange exchange)
    {
        var response = exchange.Context.Response;
        // A non-error response: 2xx or 3xx.
        if (response.StatusCode is < 200 or >= 400)
            return;

        var request = exchange.Context.Request;
        var target = new Uri(CacheKey.Url(request), UriKind.RelativeOrAbsolute);
        List<Selector> selectors = [Selector.Url(CacheKey.Url(request))];
        if (target.IsAbsoluteUri)
        {
            AddSameOrigin(selectors, target, response.Headers.Location);
            AddSameOrigin(selectors, target, response.Headers.ContentLocation);
        }

        await log.AppendOrQueueAsync(selectors, overflow: Selector.Route(exchange.RouteId), CancellationToken.None);
    }

    private static void AddSameOrigin(List<Selector> selectors, Uri target, string? reference)
    {
        if (reference is null || !Uri.TryCreate(target, reference, out var uri) || uri.Scheme != target.Scheme || uri.Authority != target.Authority)
            return;
        var selector = Selector.Url(CacheKey.Url(uri));
        if (!selectors.Contains(selector))
            selectors.Add(selector);
    }
}
