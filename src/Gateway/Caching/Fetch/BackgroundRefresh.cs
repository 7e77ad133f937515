using Gateway.Caching.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Refreshes stale responses after they were used (<c>stale-while-revalidate</c>, RFC 5861 §3): on a context of its own,
/// since the client's ends with its answer, and through the rest of the pipeline as any request. Each key once at a
/// time, at most <see cref="MaxRunning"/> together, and after a failure not at once again.
/// </summary>
internal sealed class BackgroundRefresh(
    RequestDelegate next, FetchServices services, FetchTable fetches, FetchLock fetchLock, IServiceScopeFactory scopes, ILogger logger)
{
    /// <summary>How many refreshes run at a time in a process. One left out is made by the next request.</summary>
    public const int MaxRunning = 128;

    private readonly FetchCoordinator _coordinator = new(next, services, fetches, fetchLock);
    private int _running;

    /// <summary>Begins a refresh, unless there is one. Copies what it needs of the client's request, and does not wait.</summary>
    public void Start(CacheExchange exchange, StoredResponse stale)
    {
        if (fetches.Contains(exchange.PrimaryKey) || services.FailedRefreshes.Contains(exchange.PrimaryKey))
            return;
        if (Interlocked.Increment(ref _running) > MaxRunning)
            Interlocked.Decrement(ref _running);
        else
            _ = RunAsync(CopyOf(exchange.Context), exchange.Policy, stale);
    }

    private async Task RunAsync(DefaultHttpContext context, HttpCachePolicy policy, StoredResponse stale)
    {
        // The client's answer comes first.
        await Task.Yield();
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            context.RequestServices = scope.ServiceProvider;
            await _coordinator.RefreshAsync(new CacheExchange(context, policy), stale);
        }
        catch (Exception exception)
        {
            // Nobody awaits this: what it throws ends here, as a client's request would in the outermost middleware.
            HttpCacheLog.RefreshFailed(logger, exception, context.GetEndpoint()?.DisplayName ?? "");
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    // A GET without the client's conditions, ranges and demands on freshness: those were met by the stored response.
    private static DefaultHttpContext CopyOf(HttpContext client)
    {
        var (request, connection) = (client.Request, client.Connection);
        IHeaderDictionary fields = new HeaderDictionary(request.Headers.Count);
        foreach (var (name, value) in request.Headers)
            fields[name] = value;
        fields.IfNoneMatch = fields.IfModifiedSince = fields.Range = fields.IfRange = fields.CacheControl = default;

        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Method = HttpMethods.Get,
            Protocol = request.Protocol,
            Scheme = request.Scheme,
            PathBase = request.PathBase.Value ?? "",
            Path = request.Path.Value ?? "",
            QueryString = request.QueryString.Value ?? "",
            Headers = fields,
        });
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature());
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature
        {
            ConnectionId = connection.Id,
            RemoteIpAddress = connection.RemoteIpAddress,
            RemotePort = connection.RemotePort,
            LocalIpAddress = connection.LocalIpAddress,
            LocalPort = connection.LocalPort,
        });
        var context = new DefaultHttpContext(features) { User = client.User };
        foreach (var (name, value) in request.RouteValues)
            context.Request.RouteValues[name] = value;
        context.SetEndpoint(client.GetEndpoint());
        return context;
    }
}
