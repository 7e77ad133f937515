namespace Gateway.Caching.Semantics;

/// <summary>Whether a client that made its request conditional already has the response, or a part of it. RFC 9110 §13, RFC 9111 §4.3.2.</summary>
internal static class Preconditions
{
    /// <param name="request">The request.</param>
    /// <param name="etag">The response's entity tag, if it has one.</param>
    /// <param name="lastModified">Its <c>Last-Modified</c>; without one its <c>Date</c>, or when it came: RFC 9111 §4.3.2.</param>
    /// <param name="now">For dates with two-digit years.</param>
    /// <returns>Whether the answer is 304 (Not Modified).</returns>
    public static bool IsNotModified(RequestFacts request, string? etag, DateTimeOffset lastModified, DateTimeOffset now)
    {
        // If-Modified-Since counts only without If-None-Match: RFC 9110 §13.2.2.
        if (request.IfNoneMatch is { } ifNoneMatch)
            return MatchesAny(ifNoneMatch, etag);
        return HttpDate.Parse(request.IfModifiedSince, now) is { } since && lastModified <= since;
    }

    /// <summary>Whether <c>Range</c> applies as far as <c>If-Range</c> is concerned. RFC 9110 §13.1.5.</summary>
    /// <param name="ifRange">The field: an entity tag or a date; null applies.</param>
    /// <param name="etag">The stored response's entity tag.</param>
    /// <param name="lastModified">Its <c>Last-Modified</c>, as it was sent.</param>
    /// <param name="date">Its <c>Date</c>.</param>
    public static bool AllowsRange(string? ifRange, string? etag, string? lastModified, DateTimeOffset date)
    {
        if (ifRange is null)
            return true;
        // Strong comparison: a weak tag never matches. RFC 9110 §8.8.3.2.
        if (ifRange.StartsWith('"'))
            return ifRange == etag;
        // An exact match, and only a date that is a strong validator: a minute older than the response. RFC 9110 §8.8.2.2.
        return ifRange == lastModified && HttpDate.Parse(lastModified, date) is { } modified && date - modified >= TimeSpan.FromSeconds(60);
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
