using System.Text.Json.Serialization;
using Gateway.ShortLinks.Visits;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.ShortLinks;

/// <summary>A link as the admin API answers it.</summary>
/// <param name="Path">Where it is followed, on the public listener.</param>
/// <param name="Visits">How often it was followed: exact for a link with a maximum, else what the nodes have written so far.</param>
internal sealed record LinkResponse(
    string Slug, string Path, string Target, int Status, DateTimeOffset? StartsAt, DateTimeOffset? ExpiresAt, long? MaxVisits,
    IReadOnlyList<string> Tags, bool ForwardQuery, bool ForwardPath, string? ExpiredTarget, bool HasPassword, DateTimeOffset CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Visits)
{
    public static LinkResponse Of(ShortLink link, ShortLinksOptions options, long? visits = null)
    {
        var definition = link.Definition;
        return new LinkResponse(
            link.Slug, $"{options.Prefix}/{link.Slug}", definition.Target.OriginalString, definition.Status, definition.StartsAt, definition.ExpiresAt,
            definition.MaxVisits, definition.Tags, definition.Forwarding.HasFlag(LinkForwarding.Query), definition.Forwarding.HasFlag(LinkForwarding.Path),
            definition.ExpiredTarget?.OriginalString, definition.PasswordHash.Length > 0, link.CreatedAt, visits);
    }
}

/// <summary>A page of links in the order of their slugs.</summary>
/// <param name="Next">What to ask for next; null on the last page.</param>
internal sealed record LinkPage(IReadOnlyList<LinkResponse> Links, string? Next)
{
    public static string NextOf(string tag, string prefix, string after, int limit) => QueryHelpers.AddQueryString(
        "/links", new Dictionary<string, string?> { ["tag"] = tag, ["prefix"] = prefix, ["after"] = after, ["limit"] = $"{limit}" });
}

/// <summary>The links followed most in a period, the first first.</summary>
internal sealed record LinkRankingResponse(string Period, IReadOnlyList<RankedLink> Links);

/// <summary>A link in a ranking.</summary>
internal sealed record RankedLink(string Slug, long Visits);

/// <summary>How a link was visited, as far as the nodes have written it.</summary>
internal sealed record LinkStatisticsResponse(string Slug, long Visits, IReadOnlyList<DayVisits> Days, IReadOnlyList<ReferrerVisits> Referrers);

/// <summary>What the admin endpoints answer when they cannot do as asked.</summary>
internal static class LinkProblems
{
    public static ValidationProblem Invalid(Dictionary<string, string[]> errors) =>
        TypedResults.ValidationProblem(errors, title: "The request for a short link has errors.");

    public static ProblemHttpResult Missing() => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "There is no such short link.");

    public static ProblemHttpResult Unavailable(HttpResponse response)
    {
        response.Headers.RetryAfter = "1";
        return TypedResults.Problem(
            statusCode: StatusCodes.Status503ServiceUnavailable, title: "Redis does not answer: what was asked for may or may not be done. Send it again.");
    }

    public static ProblemHttpResult Busy(HttpResponse response)
    {
        response.Headers.RetryAfter = "1";
        return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Too many passwords are being hashed. Send it again.");
    }
}
