using Gateway.Caching.Keys;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;

namespace Gateway.Caching.Inspection;

/// <summary>A page of what a node holds in memory, in the order it was stored. What is stored anew meanwhile moves to the end.</summary>
/// <param name="Entries">The responses.</param>
/// <param name="Next">Where the next page is; null on the last.</param>
internal sealed record EntryPage(IReadOnlyList<ListedEntry> Entries, string? Next);

/// <summary>A stored response. The request fields that select a variant are named without their values, which can be secrets.</summary>
/// <param name="Number">Its place in the list.</param>
/// <param name="Url">The URL as clients see it.</param>
/// <param name="Route">The route that it was fetched by.</param>
/// <param name="Status">Its status.</param>
/// <param name="Size">What it takes in memory, in bytes.</param>
/// <param name="Age">Its age in seconds. RFC 9111 §4.2.3.</param>
/// <param name="Ttl">For how many seconds it is fresh; negative when stale.</param>
/// <param name="Purged"><c>no</c>; <c>hard</c> or <c>soft</c>, to take effect at the next request for it; <c>unknown</c> where the log was lost.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="Vary">The request fields that select it.</param>
internal sealed record ListedEntry(
    long Number, string Url, string Route, int Status, long Size, long Age, long Ttl, string Purged, IReadOnlyList<string> Tags, IReadOnlyList<string> Vary)
{
    public static ListedEntry Of(long number, string key, StoredResponse response, SharedChangeLog log, DateTimeOffset now)
    {
        var (route, url) = CacheKey.Read(key);
        var age = response.CurrentAge(now);
        return new ListedEntry(
            number, url, route, response.Status, response.Size, age, response.FreshnessLifetime - age, NameOf(log.Check(response.Stamp, response.Selectors)),
            [.. response.Selectors.Where(selector => selector.TryGetValue("tag", out _)).Select(selector => selector.Text["tag:".Length..])],
            response.Vary.Names);
    }

    private static string NameOf(ChangeVerdict verdict) => verdict switch
    {
        ChangeVerdict.Current => "no",
        ChangeVerdict.Changed => "hard",
        ChangeVerdict.Stale => "soft",
        _ => "unknown",
    };
}
