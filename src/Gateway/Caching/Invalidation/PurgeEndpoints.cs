using Gateway.Caching.Inspection;
using Gateway.Caching.Keys;
using Gateway.ChangeLog;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Caching.Invalidation;

/// <summary>Purges on the admin listener.</summary>
internal static class PurgeEndpoints
{
    private const int MaxSelectors = 1000;

    /// <summary>What a prefix is to look like.</summary>
    public static readonly string PrefixFix =
        $"Write an absolute http or https URL without a query, of at most {CacheKey.MaxPrefixDepth} path segments, such as http://localhost:8080/catalog: it matches that path and what is below it.";

    /// <summary>
    /// <c>POST /cache/purge</c>: see <see cref="PurgeRequest"/>. With <c>?wait=true</c> it answers when the purge is in
    /// force everywhere it can be. And what <see cref="InspectionEndpoints"/> shows of the cache.
    /// </summary>
    public static void MapHttpCacheAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/cache/purge", PurgeAsync);
        admin.MapCacheInspection();
    }

    private static async Task<Results<Ok<PurgeResponse>, Accepted<PurgeResponse>, ValidationProblem, ProblemHttpResult>> PurgeAsync(
        PurgeRequest request, SharedChangeLog log, HttpCachePolicies policies, HttpResponse response, ILogger<PurgeRequest> logger, CancellationToken cancellationToken, bool wait = false)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var selectors = Read(request, policies, errors);
        if (errors.Count > 0)
            return TypedResults.ValidationProblem(errors, title: "The purge names something that cannot be purged.");

        InvalidationLog.Purging(logger, request.Soft ? "soft" : "hard", selectors.Count, KindsOf(selectors));
        var receipt = await log.TryAppendAsync(selectors, cancellationToken);
        var spread = receipt is { } written && wait ? await log.WaitAsync(written, cancellationToken) : null;
        if (receipt is null || (wait && spread is null))
        {
            response.Headers.RetryAfter = "1";
            return TypedResults.Problem(
                statusCode: StatusCodes.Status503ServiceUnavailable,
                title: receipt is null ? "Redis does not answer: the purge may not be in force." : "The purge was written, but Redis does not answer any more, or lost it: where it is in force is not known. Ask for it again.");
        }

        var answer = new PurgeResponse(selectors.Count, receipt.Value.Number, spread?.Applied, spread?.Silent, spread?.Behind);
        return spread is { Behind.Count: > 0 } ? TypedResults.Accepted((string?)null, answer) : TypedResults.Ok(answer);
    }

    private static List<Selector> Read(PurgeRequest request, HttpCachePolicies policies, Dictionary<string, string[]> errors)
    {
        var selectors = ReadSelectors(request, policies, errors);
        return request.Soft ? selectors.ConvertAll(selector => selector.Soft()) : selectors;
    }

    private static List<Selector> ReadSelectors(PurgeRequest request, HttpCachePolicies policies, Dictionary<string, string[]> errors)
    {
        var selectors = new List<Selector>();
        foreach (var url in Named(request.Url, request.Urls))
        {
            if (CacheKey.TryReadUrl(url, out var uri))
                selectors.AddRange(policies.StoredUrls(CacheKey.Url(uri)).Select(Selector.Url));
            else
                errors["url"] = ["Write an absolute http or https URL as clients see it, such as http://localhost:8080/catalog/1."];
        }

        foreach (var prefix in Named(request.Prefix, request.Prefixes))
        {
            if (TryReadPrefix(prefix, out var named))
                selectors.AddRange(named);
            else
                errors["prefix"] = [PrefixFix];
        }

        foreach (var tag in Named(request.Tag, request.Tags))
        {
            if (HttpCachePolicyValidator.IsTag(tag))
                selectors.Add(Selector.Tag(tag));
            else
                errors["tag"] = [$"Write 1 to {Selector.MaxValueLength} characters without white space and commas."];
        }

        if (request.Route is { Length: > 0 } route)
            selectors.Add(Selector.Route(route));
        if (request.All)
            selectors.Add(Selector.All);
        if (selectors.Count == 0 && errors.Count == 0)
            errors[""] = ["Name at least one of url, urls, prefix, prefixes, tag, tags, route, or all: true."];
        if (selectors.Count > MaxSelectors)
            errors[""] = [$"Name at most {MaxSelectors} in one purge; a prefix counts twice."];
        return selectors;
    }

    /// <summary>What a prefix selects: <c>/a</c> selects <c>/a</c>, <c>/a?b</c> and <c>/a/b</c>, but not <c>/ab</c>. A last slash changes nothing.</summary>
    public static bool TryReadPrefix(string text, out Selector[] selectors)
    {
        selectors = [];
        if (!CacheKey.TryReadUrl(text, out var uri) || CacheKey.Prefix(uri) is not { } prefix)
            return false;
        selectors = TargetSelectors.OfPrefix(prefix);
        return true;
    }

    // No values: a URL's query can hold a secret.
    private static string KindsOf(List<Selector> selectors) => string.Join(", ", selectors
        .Select(selector => selector.TryGetHard(out var hard) ? hard.Text : selector.Text)
        .Select(text => text[..text.IndexOf(':', StringComparison.Ordinal)])
        .Distinct(StringComparer.Ordinal));

    // A list may hold null, which is as wrong as an empty text.
    private static IEnumerable<string> Named(string? one, IReadOnlyList<string?>? many) =>
        (one is null ? many ?? [] : [one, .. many ?? []]).Select(name => name ?? "");
}

/// <summary>What to purge: stored responses that match any of these are not used again, on any node, unless the purge is soft.</summary>
/// <param name="Url">An absolute URL as clients see it: all methods, variants and routes of it.</param>
/// <param name="Urls">Several URLs.</param>
/// <param name="Prefix">An absolute URL without a query: what is stored for its path, with any query, and for all paths below it.</param>
/// <param name="Prefixes">Several prefixes.</param>
/// <param name="Tag">A tag of the policy, or of the field that the policy names.</param>
/// <param name="Tags">Several tags.</param>
/// <param name="Route">The id of a route.</param>
/// <param name="All">Everything.</param>
/// <param name="Soft">
/// Whether they only become stale, on each node when it next meets them: served while they are refreshed where
/// <c>stale-while-revalidate</c> allows it, revalidated elsewhere, and still there when the origin fails.
/// </param>
internal sealed record PurgeRequest(
    string? Url = null, IReadOnlyList<string?>? Urls = null, string? Prefix = null, IReadOnlyList<string?>? Prefixes = null,
    string? Tag = null, IReadOnlyList<string?>? Tags = null, string? Route = null, bool All = false, bool Soft = false);

/// <summary>What was purged.</summary>
/// <param name="Selectors">How many selectors that made: a prefix makes two, a URL one for each form that a policy's query rule gives it.</param>
/// <param name="Number">The purge's number in the change log.</param>
/// <param name="Applied">With <c>wait</c>: nodes where it is in force.</param>
/// <param name="Silent">With <c>wait</c>: nodes that do not answer and have no lease; what they do is their policy's <c>WhenChangesUnknown</c>.</param>
/// <param name="Behind">With <c>wait</c>: nodes that had not applied it after 5 s; the answer is 202 then.</param>
internal sealed record PurgeResponse(
    int Selectors, long Number, IReadOnlyList<string>? Applied, IReadOnlyList<string>? Silent, IReadOnlyList<string>? Behind);
