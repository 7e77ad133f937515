using System.Text.Json.Serialization;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.ShortLinks;

/// <summary>A link as the admin API takes it. Unknown members are refused: a misspelt <c>expiresAt</c> would make a link that never ends.</summary>
/// <param name="Slug">Absent: one is generated.</param>
/// <param name="Target">Where it leads.</param>
/// <param name="Status">301, 302, 303, 307 or 308; default 302.</param>
/// <param name="StartsAt">When it begins to be valid; default at once.</param>
/// <param name="ExpiresAt">When it stops being valid; default never.</param>
/// <param name="MaxVisits">How often it can be followed, earlier visits included: 1 to 1,000,000,000; default without end.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record LinkRequest(
    string? Slug = null, string? Target = null, int? Status = null, DateTimeOffset? StartsAt = null, DateTimeOffset? ExpiresAt = null, long? MaxVisits = null)
{
    private const long MostVisits = 1_000_000_000;

    /// <summary>Reads what the link is to do, and adds what is wrong to <paramref name="errors"/>, by member.</summary>
    public LinkDefinition? Read(ShortLinksOptions options, ShortHosts hosts, Dictionary<string, string[]> errors)
    {
        if (!TargetRules.TryRead(Target, options, out var target, out var problem))
            errors["target"] = [problem];
        else if (hosts.LeadsBack(target, options))
            errors["target"] = ["Write the URL that the other short link leads to: links to short links can be loops."];
        if (Status is not (null or 301 or 302 or 303 or 307 or 308))
            errors["status"] = ["Write 301, 302, 303, 307 or 308."];
        if (StartsAt >= ExpiresAt)
            errors["expiresAt"] = ["Write a time after startsAt."];
        if (MaxVisits is < 1 or > MostVisits)
            errors["maxVisits"] = [$"Write a whole number from 1 to {MostVisits}."];
        return errors.Count > 0 ? null : new LinkDefinition(target!, Status ?? StatusCodes.Status302Found, StartsAt, ExpiresAt, MaxVisits);
    }

    /// <summary>Reads the slug of a link to be made; null: one is to be generated.</summary>
    public string? ReadSlug(ShortLinksOptions options, Dictionary<string, string[]> errors)
    {
        if (Slug is null)
            return null;
        if (!SlugRules.TryRead(Slug, options, out var slug))
            errors["slug"] = [SlugRules.Fix];
        else if (SlugRules.IsReserved(slug, options))
            errors["slug"] = ["This word is reserved: write another."];
        return slug;
    }
}

/// <summary>A link as the admin API answers it.</summary>
/// <param name="Path">Where it is followed, on the public listener.</param>
/// <param name="Visits">How often it was followed: exact for a link with a maximum, else what the nodes have written so far.</param>
internal sealed record LinkResponse(
    string Slug, string Path, string Target, int Status, DateTimeOffset? StartsAt, DateTimeOffset? ExpiresAt, long? MaxVisits, DateTimeOffset CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Visits)
{
    public static LinkResponse Of(ShortLink link, ShortLinksOptions options, long? visits = null) => new(
        link.Slug, $"{options.Prefix}/{link.Slug}", link.Definition.Target.OriginalString, link.Definition.Status,
        link.Definition.StartsAt, link.Definition.ExpiresAt, link.Definition.MaxVisits, link.CreatedAt, visits);
}

/// <summary>A page of links in the order of their slugs.</summary>
/// <param name="Next">What to ask for next; null on the last page.</param>
internal sealed record LinkPage(IReadOnlyList<LinkResponse> Links, string? Next)
{
    public static string NextOf(string prefix, string after, int limit) => QueryHelpers.AddQueryString(
        "/links", new Dictionary<string, string?> { ["prefix"] = prefix, ["after"] = after, ["limit"] = $"{limit}" });
}

/// <summary>The links followed most in a period, the first first.</summary>
internal sealed record LinkRankingResponse(string Period, IReadOnlyList<RankedLink> Links);

/// <summary>A link in a ranking.</summary>
internal sealed record RankedLink(string Slug, long Visits);
