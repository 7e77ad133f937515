using System.Net;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A response that goes on until somebody cuts it: as an origin sends it, and as a client reads it.</summary>
internal static class OpenStream
{
    /// <summary>Begins a response and leaves it open until the request is aborted.</summary>
    public static async Task SendAsync(HttpContext context, string type = "text/event-stream")
    {
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync("data: hello\n\n");
        await context.Response.Body.FlushAsync();
        var aborted = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(aborted.SetResult);
        await aborted.Task;
    }

    /// <summary>Sends a request with one field, and returns when its response has begun.</summary>
    public static async Task<HttpResponseMessage> OpenAsync(this GatewayNode node, string path, string field, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add(field, value);
        var response = await node.Public.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    /// <summary>Reads until the end, which an open stream does not have.</summary>
    public static async Task ReadOnAsync(this HttpResponseMessage response) => await (await response.Content.ReadAsStreamAsync()).CopyToAsync(Stream.Null);

    public static async Task AssertCutAsync(this HttpResponseMessage response, TimeSpan within) =>
        await Assert.ThrowsAnyAsync<IOException>(() => response.ReadOnAsync().WaitAsync(within));
}
