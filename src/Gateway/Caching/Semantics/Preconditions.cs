namespace Gateway.Caching.Semantics;

/// <summary>Whether a client that made its request conditional already has the response. RFC 9110 §13, RFC 9111 §4.3.2.</summary>
internal static class Preconditions
{
    /// <returns>Whether the answer is 304 (Not Modified).</returns>
    public static bool IsNotModified(RequestFacts request, string? etag, DateTimeOffset? lastModified)
    {
        // If-Modified-Since counts only without If-None-Match: RFC 9110 §13.2.2.
        if (request.IfNoneMatch is { } ifNoneMatch)
            return MatchesAny(ifNoneMatch, etag);
        return HttpDate.Parse(request.IfModifiedSince) is { } since && lastModified <= since;
    }

    // Weak comparison: RFC 9110 §8.8.3.2, §13.1.2.
    private static bool MatchesAny(ReadOnlySpan<char> list, string? etag)
    {
        list = list.Trim(" \t");
        if (list is "*")
            return true;
        if (etag is null)
            return false;

        var wanted = Opaque(etag);
        while (!list.IsEmpty)
        {
            list = list.TrimStart(" \t,");
            var start = list.StartsWith("W/") ? 2 : 0;
            if (start >= list.Length || list[start] != '"')
                return false;
            var length = list[(start + 1)..].IndexOf('"');
            if (length < 0)
                return false;
            if (list.Slice(start, length + 2).SequenceEqual(wanted))
                return true;
            list = list[(start + length + 2)..].TrimStart(" \t");
        }

        return false;
    }

    private static ReadOnlySpan<char> Opaque(string etag) => etag.StartsWith("W/", StringComparison.Ordinal) ? etag.AsSpan(2) : etag;
}
