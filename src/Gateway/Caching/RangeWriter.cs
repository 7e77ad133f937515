using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching;

/// <summary>Answers with parts of a stored body: 206 with one or several, or 416. RFC 9110 §15.3.7, §15.5.17.</summary>
internal static class RangeWriter
{
    /// <param name="context">The client's; the stored fields are on its response already.</param>
    /// <param name="stored">A complete response.</param>
    /// <param name="ranges">What was asked for; empty when none of it exists.</param>
    public static Task WriteAsync(HttpContext context, StoredResponse stored, IReadOnlyList<ByteRange> ranges)
    {
        switch (ranges.Count)
        {
            case 0:
                return RefuseAsync(context, stored);
            case 1:
                return WriteOneAsync(context, stored, ranges[0]);
            default:
                return WriteSeveralAsync(context, stored, ranges);
        }
    }

    // What makes the stored response reusable must not make this one so.
    private static Task RefuseAsync(HttpContext context, StoredResponse stored)
    {
        var response = context.Response;
        foreach (var (name, _) in stored.Fields)
            response.Headers.Remove(name);
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{stored.Body.Length}");
        return TypedResults.Problem(statusCode: StatusCodes.Status416RangeNotSatisfiable, detail: "No range that is asked for is within the representation.")
            .ExecuteAsync(context);
    }

    private static async Task WriteOneAsync(HttpContext context, StoredResponse stored, ByteRange range)
    {
        var response = context.Response;
        response.StatusCode = StatusCodes.Status206PartialContent;
        response.Headers.ContentRange = ContentRange(range, stored.Body.Length);
        response.ContentLength = range.Length;
        await StoredResponseWriter.WriteBytesAsync(context, stored.Body.Slice(range.Start, range.Length));
    }

    // multipart/byteranges: RFC 9110 §14.6. The parts of the stored body are written as they are, without a copy.
    private static async Task WriteSeveralAsync(HttpContext context, StoredResponse stored, IReadOnlyList<ByteRange> ranges)
    {
        var response = context.Response;
        var boundary = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var type = response.ContentType is { } contentType ? $"Content-Type: {contentType}\r\n" : "";
        var heads = ranges.Select(range => Encoding.Latin1.GetBytes(
            $"\r\n--{boundary}\r\n{type}Content-Range: {ContentRange(range, stored.Body.Length)}\r\n\r\n")).ToArray();
        var end = Encoding.Latin1.GetBytes($"\r\n--{boundary}--\r\n");

        response.StatusCode = StatusCodes.Status206PartialContent;
        response.ContentType = $"multipart/byteranges; boundary={boundary}";
        response.Headers.ContentRange = default;
        response.ContentLength = heads.Sum(head => (long)head.Length) + ranges.Sum(range => (long)range.Length) + end.Length;
        for (var i = 0; i < ranges.Count; i++)
        {
            await response.BodyWriter.WriteAsync(heads[i], context.RequestAborted);
            await StoredResponseWriter.WriteBytesAsync(context, stored.Body.Slice(ranges[i].Start, ranges[i].Length));
        }

        await response.BodyWriter.WriteAsync(end, context.RequestAborted);
    }

    private static string ContentRange(ByteRange range, int length) =>
        string.Create(CultureInfo.InvariantCulture, $"bytes {range.Start}-{range.End}/{length}");
}
