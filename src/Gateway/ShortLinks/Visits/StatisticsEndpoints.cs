using Gateway.Hosting.Configuration;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks.Visits;

/// <summary>How links are followed, on the admin listener.</summary>
internal static class StatisticsEndpoints
{
    private const int MaxRanked = 500;

    /// <summary>
    /// <c>GET /links/{slug}/statistics</c>: visits by day and by referring host. <c>GET /top-links?period=hour|day|all&amp;limit=</c>:
    /// see <see cref="LinkRanking"/>.
    /// </summary>
    public static void MapLinkStatistics(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/links/{slug}/statistics", ReadAsync);
        admin.MapGet("/top-links", RankAsync);
    }

    private static async Task<Results<Ok<LinkStatisticsResponse>, ProblemHttpResult>> ReadAsync(
        string slug, HttpResponse response, LinkStore store, VisitStore visits, VisitDelivery delivery, IOptionsMonitor<ShortLinksOptions> options,
        CancellationToken cancellationToken)
    {
        if (!SlugRules.TryRead(slug, options.CurrentValue, out slug))
            return LinkProblems.Missing();
        await delivery.DeliverAsync(cancellationToken);
        var reply = await store.ReadAsync(slug, cancellationToken);
        if (!reply.TryGet(out var link))
            return LinkProblems.Unavailable(response);
        if (link is null)
            return LinkProblems.Missing();
        var count = await visits.ReadAsync([slug], cancellationToken);
        var read = await visits.ReadStatisticsAsync(slug, cancellationToken);
        return count.TryGet(out var total) && read.TryGet(out var statistics)
            ? TypedResults.Ok(new LinkStatisticsResponse(slug, total[0], statistics.Days, statistics.Referrers))
            : LinkProblems.Unavailable(response);
    }

    private static async Task<Results<Ok<LinkRankingResponse>, ValidationProblem, ProblemHttpResult>> RankAsync(
        HttpResponse response, LinkRanking ranking, CancellationToken cancellationToken, string period = "day", int limit = 10)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (!EnumName.TryParse<RankingPeriod>(period, out var parsed))
            errors["period"] = ["Write hour, day or all."];
        if (limit is < 1 or > MaxRanked)
            errors["limit"] = [$"Write a whole number from 1 to {MaxRanked}."];
        if (errors.Count > 0)
            return LinkProblems.Invalid(errors);

        var reply = await ranking.ReadAsync(parsed, limit, cancellationToken);
        return reply.TryGet(out var entries)
            ? TypedResults.Ok(new LinkRankingResponse(
                period.ToLowerInvariant(), [.. entries.Select(entry => new RankedLink((string)entry.Element!, (long)entry.Score))]))
            : LinkProblems.Unavailable(response);
    }
}
