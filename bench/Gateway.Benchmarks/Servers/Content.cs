namespace Gateway.Benchmarks.Servers;

/// <summary>What the origin, and bare Kestrel in its place, answers. All of it is in memory.</summary>
internal static class Content
{
    /// <summary>Storable for an hour.</summary>
    public const string ItemPath = "/item/";

    /// <summary>Like an item, but <c>no-store</c>.</summary>
    public const string PassPath = "/pass/";

    /// <summary>A large body with Content-Length, and one without.</summary>
    public const string LargePath = "/large/";
    public const string ChunkedPath = "/chunked/";

    /// <summary>Short links, and what nginx answers likewise.</summary>
    public const string LinkPath = "/s/";
    public const string LinkTarget = "https://shop.example/catalog/";

    public const int ItemSize = 1024;
    public const long LargeSize = 200L << 20;
    public const string ETag = "\"bench\"";

    private static readonly byte[] Item = Filled(ItemSize);
    private static readonly byte[] Block = Filled(64 << 10);

    public static Task WriteAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path.StartsWith(ItemPath, StringComparison.Ordinal))
            return WriteItemAsync(context.Response, "public, max-age=3600");
        if (path.StartsWith(PassPath, StringComparison.Ordinal))
            return WriteItemAsync(context.Response, "no-store");
        if (path.StartsWith(LargePath, StringComparison.Ordinal))
            return WriteLargeAsync(context, LargeSize);
        if (path.StartsWith(ChunkedPath, StringComparison.Ordinal))
            return WriteLargeAsync(context, null);
        if (path.StartsWith(SlowContent.Prefix, StringComparison.Ordinal))
            return SlowContent.WriteAsync(context);
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    private static Task WriteItemAsync(HttpResponse response, string cacheControl)
    {
        WriteFields(response, cacheControl, ItemSize);
        return response.Body.WriteAsync(Item, 0, ItemSize);
    }

    private static async Task WriteLargeAsync(HttpContext context, long? length)
    {
        WriteFields(context.Response, "public, max-age=3600", length);
        for (var sent = 0L; sent < LargeSize; sent += Block.Length)
            await context.Response.Body.WriteAsync(Block, context.RequestAborted);
    }

    private static void WriteFields(HttpResponse response, string cacheControl, long? length)
    {
        var fields = response.Headers;
        fields.ContentType = "text/plain";
        fields.CacheControl = cacheControl;
        fields.ETag = ETag;
        fields.Vary = "Accept-Encoding";
        response.ContentLength = length;
    }

    private static byte[] Filled(int size)
    {
        var bytes = new byte[size];
        bytes.AsSpan().Fill((byte)'x');
        return bytes;
    }
}
