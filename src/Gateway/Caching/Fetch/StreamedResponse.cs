
namespace Gateway.Caching.Fetch;

/// <summary>Answers a client from a fetch that another's request made, while its body comes.</summary>
internal static class StreamedResponse
{
    /// <summary>Whether a request can only be answered when the body's end is known: it wants a part, or nothing that it has already.</summary>
    public static bool NeedsWhole(CacheExchange exchange) => exchange.Request.IsConditional || exchange.Request.Range is not null;

    /// <param name="reader">The client's place in the body.</param>
    /// <param name="age">The response's current age in seconds.</param>
    /// <param name="cacheStatus">This cache's member of <c>Cache-Status</c>.</param>
    public static async Task WriteAsync(CacheExchange exchange, SharedResponse shared, BodyReader reader, long age, string cacheStatus)
    {
        var (response, aborted) = (exchange.Context.Response, exchange.Context.RequestAborted);
        StoredResponseWriter.WriteFields(response, shared.Response, age, cacheStatus);
        response.ContentLength = shared.Body!.AnnouncedLength;
        var piece = reader.Read();
        if (piece.More is not null)
        {
            await response.BodyWriter.FlushAsync(aborted);
            piece = await reader.ReadAsync(aborted);
        }

        for (; piece.Bytes.Length > 0; piece = await reader.ReadAsync(aborted))
        {
            await response.BodyWriter.WriteAsync(piece.Bytes, aborted);
            reader.Advance(piece.Bytes.Length);
        }

        // The client must see that its copy is not the whole: RFC 9112 §8.
        if (piece.IsBroken)
            exchange.Context.Abort();
    }
}
