using System.Globalization;
using Gateway.Caching.Invalidation;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Caching.Inspection;

/// <summary>What the cache of this node holds and does, on the admin listener.</summary>
internal static class InspectionEndpoints
{
    private const int MaxPage = 500;

    /// <summary>
    /// <c>GET /cache/statistics</c>: see <see cref="CacheStatistics"/>. <c>GET /cache/entries?prefix=|tag=&amp;after=&amp;size=</c>
    /// lists what this node holds in memory: all, or what a purge of the same prefix or tag would match.
    /// </summary>
    public static void MapCacheInspection(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/cache/statistics", ReadStatistics);
        admin.MapGet("/cache/entries", ListEntries);
    }

    private static Ok<CacheStatistics> ReadStatistics(NodeIdentity node, MemoryStore memory, HttpCacheMetrics metrics)
    {
        var (hits, forwarded) = (metrics.Hits, metrics.Forwarded);
        return TypedResults.Ok(new CacheStatistics(
            node.Id, memory.Count, memory.Size, memory.Limit, hits.Values.Sum(), forwarded.Values.Sum(), hits, forwarded));
    }

    private static Results<Ok<EntryPage>, ValidationProblem> ListEntries(
        MemoryStore memory, SharedChangeLog log, RedisClock clock, string? prefix = null, string? tag = null, long after = 0, int size = 100)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var selectors = ReadSelectors(prefix, tag, errors);
        if (size is < 1 or > MaxPage)
            errors["size"] = [$"Write a whole number from 1 to {MaxPage}."];
        if (errors.Count > 0)
            return TypedResults.ValidationProblem(errors, title: "The request for stored responses has errors.");

        var found = FirstAfter(memory, after, size + 1, selectors);
        var page = found.Take(size).Select(entry => ListedEntry.Of(entry.Number, entry.Key, entry.Response, log, clock.Now)).ToList();
        return TypedResults.Ok(new EntryPage(page, found.Count > size ? NextOf(prefix, tag, page[^1].Number, size) : null));
    }

    private static Selector[]? ReadSelectors(string? prefix, string? tag, Dictionary<string, string[]> errors)
    {
        if (prefix is not null && tag is not null)
            errors[""] = ["Name a prefix or a tag, not both."];
        if (prefix is not null)
        {
            if (PurgeEndpoints.TryReadPrefix(prefix, out var selectors))
                return selectors;
            errors["prefix"] = [PurgeEndpoints.PrefixFix];
        }

        if (tag is null)
            return null;
        if (HttpCachePolicyValidator.IsTag(tag))
            return [Selector.Tag(tag)];
        errors["tag"] = [$"Write 1 to {Selector.MaxValueLength} characters without white space and commas."];
        return null;
    }

    // One look at each entry, in no order: a bounded heap keeps the first ones, so that a page costs little memory.
    private static List<(long Number, string Key, StoredResponse Response)> FirstAfter(MemoryStore memory, long after, int count, Selector[]? selectors)
    {
        var first = new PriorityQueue<(long Number, string Key, StoredResponse Response), long>(count + 1);
        foreach (var (number, key, response) in memory.Enumerate().SelectMany(entry => ResponsesOf(entry.Number, entry.Key, entry.Entry)))
        {
            if (number <= after || (selectors is not null && !response.Selectors.Any(selectors.Contains)))
                continue;
            first.Enqueue((number, key, response), -number);
            if (first.Count > count)
                first.Dequeue();
        }

        return [.. first.UnorderedItems.Select(item => item.Element).OrderBy(entry => entry.Number)];
    }

    // Variants share their target's number; each has one of the numbers up to the next target's.
    private static IEnumerable<(long Number, string Key, StoredResponse Response)> ResponsesOf(long number, string key, StoredEntry entry)
    {
        number *= VaryIndex.MaxVariants;
        return entry is VaryIndex index
            ? index.Variants.Select((variant, i) => (Number: number + i, key, variant.Response!)).Where(variant => variant.Item3 is not null)
            : [(number, key, (StoredResponse)entry)];
    }

    private static string NextOf(string? prefix, string? tag, long last, int size)
    {
        var query = new QueryString();
        if (prefix is not null)
            query = query.Add(nameof(prefix), prefix);
        if (tag is not null)
            query = query.Add(nameof(tag), tag);
        query = query.Add("after", last.ToString(CultureInfo.InvariantCulture)).Add(nameof(size), size.ToString(CultureInfo.InvariantCulture));
        return $"/cache/entries{query}";
    }
}
