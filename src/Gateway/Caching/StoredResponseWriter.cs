using System.IO.Pipelines;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gateway.Caching;

/// <summary>Answers a client from a stored response: with the whole, a part of it, or the word that it has it already.</summary>
internal static class StoredResponseWriter
{
    // The server copies what it is given, however much that is: a client that does not read must not hold a whole body.
    private const int LargestPiece = 64 << 10;

    // What describes a body that is not sent: RFC 9110 §15.4.5.
    private static readonly string[] RepresentationFields =
        [HeaderNames.ContentLength, HeaderNames.ContentType, HeaderNames.ContentEncoding, HeaderNames.ContentLanguage, HeaderNames.ContentRange];

    /// <param name="age">Its current age in seconds. RFC 9111 §5.1.</param>
    /// <param name="cacheStatus">This cache's member of <c>Cache-Status</c>.</param>
    public static Task WriteAsync(CacheExchange exchange, StoredResponse stored, long age, string cacheStatus)
    {
        var (request, response) = (exchange.Request, exchange.Context.Response);
        WriteFields(response, stored, age, cacheStatus);

        // Conditions and ranges are about what would be a 200: RFC 9110 §13.2.1, §14.2.
        if (stored.Status == StatusCodes.Status200OK)
        {
            if (request.IsConditional && HasIt(request, stored))
            {
                MakeNotModified(response);
                return Task.CompletedTask;
            }

            if (request.Range is not null && SelectRanges(request, stored) is { } ranges)
                return RangeWriter.WriteAsync(exchange.Context, stored, ranges);
        }

        return WriteWholeAsync(exchange.Context, stored);
    }

    /// <summary>Puts status and fields on a response: what comes before the body.</summary>
    public static void WriteFields(HttpResponse response, StoredResponse stored, long age, string cacheStatus)
    {
        var fields = response.Headers;
        response.StatusCode = stored.Status;
        foreach (var (name, value) in stored.Fields)
        {
            // Beside the gateway's own cookies for this client. Stored names are the framework's own where it has them.
            fields[name] = ReferenceEquals(name, HeaderNames.SetCookie) ? StringValues.Concat(fields.SetCookie, value) : value;
        }

        fields.Age = HitTexts.Age(age);
        fields.Append(CacheStatus.FieldName, cacheStatus);
    }

    /// <summary>Turns a 200 into a 304 (Not Modified), for a client that has it already.</summary>
    public static void MakeNotModified(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status304NotModified;
        foreach (var name in RepresentationFields)
            response.Headers.Remove(name);
    }

    /// <summary>
    /// Takes off what the origin's answer to the cache left on the response, but not what the gateway itself had put
    /// there for this client: fields from before the fetch, and the affinity cookie set below. Where cookies are stored,
    /// the origin's come back with the stored fields.
    /// </summary>
    public static void Reset(HttpContext context, IReadOnlySet<string> ownFields, SetCookieHandling setCookie)
    {
        var fields = context.Response.Headers;
        var cookies = setCookie == SetCookieHandling.Store && !ownFields.Contains(HeaderNames.SetCookie)
            ? Fetch.ResponseReader.AffinityCookies(context)
            : fields.SetCookie;
        foreach (var name in fields.Keys.Where(name => !ownFields.Contains(name)).ToArray())
            fields.Remove(name);
        fields.SetCookie = cookies;
    }

    /// <summary>Sends stored bytes no faster than the client takes them.</summary>
    public static ValueTask<FlushResult> WriteBytesAsync(HttpContext context, ReadOnlyMemory<byte> bytes) => bytes.Length <= LargestPiece
        ? context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted)
        : WritePiecesAsync(context, bytes);

    private static async ValueTask<FlushResult> WritePiecesAsync(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > LargestPiece)
        {
            await context.Response.BodyWriter.WriteAsync(bytes[..LargestPiece], context.RequestAborted);
            bytes = bytes[LargestPiece..];
        }

        return await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
    }

    private static async Task WriteWholeAsync(HttpContext context, StoredResponse stored)
    {
        if (stored.Status is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent)
            return;
        context.Response.ContentLength = stored.Body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await WriteBytesAsync(context, stored.Body);
    }

    private static bool HasIt(RequestFacts request, StoredResponse stored) => Preconditions.IsNotModified(
        request, stored.ETag, request.IfNoneMatch is null ? stored.ModifiedSince : default, stored.ResponseTime);

    private static IReadOnlyList<ByteRange>? SelectRanges(RequestFacts request, StoredResponse stored) =>
        Preconditions.AllowsRange(request.IfRange, stored.ETag, stored.LastModified, stored.Date)
            ? ByteRanges.Select(request.Range!, stored.Body.Length)
            : null;
}
