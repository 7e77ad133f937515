using Gateway.Caching.Storage;

namespace Gateway.Caching.Semantics;

/// <summary>What a response to HEAD says of the stored response to GET. RFC 9111 §4.3.5.</summary>
internal static class HeadUpdate
{
    /// <summary>Whether both are the same representation, so that the HEAD brings the stored fields up to date; if not, the stored response is stale.</summary>
    /// <param name="stored">The stored response, with its whole body.</param>
    /// <param name="head">The response to HEAD.</param>
    /// <param name="headLastModified">Its <c>Last-Modified</c> as it was sent.</param>
    /// <param name="headLength">Its <c>Content-Length</c>.</param>
    public static bool Confirms(StoredResponse stored, ResponseFacts head, string? headLastModified, long? headLength) =>
        head.Status == stored.Status
        && (head.ETag is null || head.ETag == stored.ETag)
        && (headLastModified is null || headLastModified == stored.LastModified)
        && (headLength is null || headLength == stored.Body.Length);
}
