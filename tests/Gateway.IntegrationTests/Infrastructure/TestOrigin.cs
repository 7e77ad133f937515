using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A request as the origin received it.</summary>
internal sealed record ReceivedRequest(string Method, string PathAndQuery, IReadOnlyDictionary<string, string> Headers);

/// <summary>A tiny real origin on a free port: what is not mapped answers 404.</summary>
internal sealed class TestOrigin : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _handlers = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();

    private readonly bool _keepsRequests;

    private TestOrigin(WebApplication app, bool keepsRequests) => (_app, _keepsRequests) = (app, keepsRequests);

    /// <summary>The address, such as <c>http://127.0.0.1:40123/</c>.</summary>
    public string Address => _app.Urls.First() + "/";

    /// <summary>All requests so far, in the order of their arrival, unless they are not kept.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    /// <param name="keepsRequests">False for a load that would fill the memory.</param>
    public static async Task<TestOrigin> StartAsync(bool keepsRequests = true)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.RequestHeaderEncodingSelector = _ => System.Text.Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = _ => System.Text.Encoding.Latin1;
        });
        var origin = new TestOrigin(builder.Build(), keepsRequests);
        origin._app.UseWebSockets();
        origin._app.Run(origin.HandleAsync);
        await origin._app.StartAsync();
        return origin;
    }

    /// <summary>Answers <paramref name="path"/>, whatever the query and method, by <paramref name="handler"/>; replaces an earlier one.</summary>
    public TestOrigin Map(string path, RequestDelegate handler)
    {
        _handlers[path] = handler;
        return this;
    }

    /// <summary>Answers <paramref name="path"/> with 200, <paramref name="body"/> and <paramref name="headers"/>.</summary>
    public TestOrigin Map(string path, string body, params (string Name, string Value)[] headers) => Map(path, context =>
    {
        foreach (var (name, value) in headers)
            context.Response.Headers.Append(name, value);
        return context.Response.WriteAsync(body);
    });

    /// <summary>How many requests came for <paramref name="path"/>.</summary>
    public int Count(string path) => _requests.Count(request => request.PathAndQuery.Split('?')[0] == path);

    /// <summary>
    /// A <c>ReverseProxy</c> section that sends everything here, by one route <c>all</c> and one cluster <c>origin</c>.
    /// </summary>
    /// <param name="route">More keys for the route, such as <c>("OutputCachePolicy", "origin")</c>.</param>
    public object ProxySection(params (string Key, object Value)[] route)
    {
        var all = new Dictionary<string, object> { ["ClusterId"] = "origin", ["Match"] = new { Path = "{**path}" } };
        foreach (var (key, value) in route)
            all[key] = value;
        return new
        {
            Routes = new Dictionary<string, object> { ["all"] = all },
            Clusters = new { origin = new { Destinations = new { one = new { Address } } } },
        };
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        if (_keepsRequests)
        {
            _requests.Enqueue(new ReceivedRequest(
                request.Method,
                request.Path + request.QueryString,
                request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        }

        if (_handlers.TryGetValue(request.Path.Value ?? "/", out var handler))
            return handler(context);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
