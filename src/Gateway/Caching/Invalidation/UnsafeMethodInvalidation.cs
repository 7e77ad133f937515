using Gateway.Caching.Keys;
using Gateway.ChangeLog;

namespace Gateway.Caching.Invalidation;

/// <summary>
/// A successful unsafe request invalidates what is stored for its target, and for the URLs of the same origin in
/// <c>Location</c> and <c>Content-Location</c>, on all nodes. RFC 9111 §4.4.
/// </summary>
internal sealed class UnsafeMethodInvalidation(SharedChangeLog log)
{
    /// <summary>Whether a method can change something. Unknown methods can: RFC 9110 §9.2.1.</summary>
    public static bool IsUnsafe(string method) =>
        !HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !HttpMethods.IsOptions(method) && !HttpMethods.IsTrace(method);

    /// <summary>Invalidates before the client sees the response, so that what it asks next is not answered with the old.</summary>
    /// <param name="exchange">A request whose method is unsafe.</param>
    /// <param name="onWritten">Called when the log has it.</param>
    public void Register(CacheExchange exchange, Action<ChangeReceipt>? onWritten = null) =>
        exchange.Context.Response.OnStarting(async () =>
        {
            if (await InvalidateAsync(exchange) is { } receipt)
                onWritten?.Invoke(receipt);
        });

    /// <summary>Whether a reference in a response is its own target.</summary>
    public static bool IsTarget(HttpRequest request, string? reference) =>
        Resolve(request, reference) is { } uri && CacheKey.Url(uri) == CacheKey.Url(request);

    private async Task<ChangeReceipt?> InvalidateAsync(CacheExchange exchange)
    {
        var response = exchange.Context.Response;
        // A non-error response: 2xx or 3xx.
        if (response.StatusCode is < 200 or >= 400)
            return null;

        var request = exchange.Context.Request;
        List<Selector> selectors = [Selector.Url(exchange.Policy.Reduced(CacheKey.Url(request)))];
        AddSameOrigin(selectors, exchange, response.Headers.Location);
        AddSameOrigin(selectors, exchange, response.Headers.ContentLocation);
        return await log.AppendOrQueueAsync(selectors, overflow: Selector.Route(exchange.RouteId), CancellationToken.None);
    }

    private static void AddSameOrigin(List<Selector> selectors, CacheExchange exchange, string? reference)
    {
        if (Resolve(exchange.Context.Request, reference) is not { } uri)
            return;
        var selector = Selector.Url(exchange.Policy.Reduced(CacheKey.Url(uri)));
        if (!selectors.Contains(selector))
            selectors.Add(selector);
    }

    // Null for what is no reference, or names another origin.
    private static Uri? Resolve(HttpRequest request, string? reference) =>
        reference is not null && Uri.TryCreate(CacheKey.Url(request), UriKind.Absolute, out var target)
        && Uri.TryCreate(target, reference, out var uri) && uri.Scheme == target.Scheme && uri.Authority == target.Authority
            ? uri
            : null;
}
