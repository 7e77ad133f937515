using System.Globalization;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Microsoft.Net.Http.Headers;

namespace Gateway.Caching;

/// <summary>Answers a client from a stored response.</summary>
internal static class StoredResponseWriter
{
    // What describes a body that is not sent: RFC 9110 §15.4.5.
    private static readonly string[] RepresentationFields =
        [HeaderNames.ContentLength, HeaderNames.ContentType, HeaderNames.ContentEncoding, HeaderNames.ContentLanguage, HeaderNames.ContentRange];

    /// <param name="age">Its current age in seconds. RFC 9111 §5.1.</param>
    /// <param name="cacheStatus">This cache's member of <c>Cache-Status</c>.</param>
    public static async Task WriteAsync(CacheExchange exchange, StoredResponse stored, long age, string cacheStatus)
    {
        var response = exchange.Context.Response;
        response.StatusCode = stored.Status;
        foreach (var (name, value) in stored.Fields)
            response.Headers[name] = value;
        response.Headers.Age = age.ToString(CultureInfo.InvariantCulture);
        response.Headers.Append(CacheStatus.FieldName, cacheStatus);

        if (stored.Status == StatusCodes.Status200OK && Preconditions.IsNotModified(exchange.Request, stored.ETag, stored.LastModifiedDate))
        {
            MakeNotModified(response);
            return;
        }

        if (stored.Status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent)
            return;
        response.ContentLength = stored.Body.Length;
        if (!HttpMethods.IsHead(exchange.Context.Request.Method))
            await response.BodyWriter.WriteAsync(stored.Body, exchange.Context.RequestAborted);
    }

    /// <summary>Turns a 200 into a 304 (Not Modified), for a client that has it already.</summary>
    public static void MakeNotModified(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status304NotModified;
        foreach (var name in RepresentationFields)
            response.Headers.Remove(name);
    }

    /// <summary>
    /// Takes off what a 304 (Not Modified) to the cache left on the response, but not what the gateway itself had put
    /// there for this client: fields from before the fetch, and the affinity cookie set below.
    /// </summary>
    public static void Reset(HttpResponse response, IReadOnlySet<string> ownFields)
    {
        foreach (var name in response.Headers.Keys.Where(name => !ownFields.Contains(name)
            && !name.Equals(HeaderNames.SetCookie, StringComparison.OrdinalIgnoreCase)).ToArray())
            response.Headers.Remove(name);
    }
}
