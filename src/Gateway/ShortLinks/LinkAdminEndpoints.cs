using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>Short links on the admin listener.</summary>
internal static class LinkAdminEndpoints
{
    private const int MaxPage = 500;
    private const int MaxIdempotencyKey = 255;

    /// <summary>
    /// <c>POST /links</c> makes a link (<see cref="LinkRequest"/>), once for each <c>Idempotency-Key</c>;
    /// <c>GET /links?prefix=&amp;after=&amp;limit=</c> lists them; <c>GET</c>, <c>PUT</c> and <c>DELETE /links/{slug}</c>
    /// read, replace and remove one. <c>GET /top-links?period=hour|day|all&amp;limit=</c>: see <see cref="LinkRanking"/>.
    /// </summary>
    public static void MapShortLinksAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/links", CreateAsync);
        admin.MapGet("/links", ListAsync);
        admin.MapGet("/links/{slug}", ReadAsync);
        admin.MapPut("/links/{slug}", UpdateAsync);
        admin.MapDelete("/links/{slug}", DeleteAsync);
        admin.MapGet("/top-links", RankAsync);
    }

    private static async Task<Results<Created<LinkResponse>, Ok<LinkResponse>, ValidationProblem, ProblemHttpResult>> CreateAsync(
        LinkRequest request, HttpContext context, LinkEditor editor, ShortHosts hosts, IOptionsMonitor<ShortLinksOptions> options, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var slug = request.ReadSlug(options.CurrentValue, errors);
        var key = ReadIdempotencyKey(context.Request, errors);
        if (request.Read(options.CurrentValue, hosts, errors) is not { } definition)
            return Invalid(errors);

        var (outcome, link) = await editor.CreateAsync(slug, definition, key, cancellationToken);
        return outcome switch
        {
            LinkCreation.Created => TypedResults.Created($"/links/{link!.Slug}", LinkResponse.Of(link, options.CurrentValue, visits: 0)),
            LinkCreation.Existed => TypedResults.Ok(LinkResponse.Of(link!, options.CurrentValue)),
            LinkCreation.Taken => TypedResults.Problem(
                statusCode: StatusCodes.Status409Conflict, title: "Another link has this slug.", detail: "Choose another slug, or change that link by PUT."),
            LinkCreation.KeyReused => TypedResults.Problem(
                statusCode: StatusCodes.Status422UnprocessableEntity, title: "This Idempotency-Key was sent with another request.", detail: "Send a new key with a new request."),
            _ => Unavailable(context.Response),
        };
    }

    private static async Task<Results<Ok<LinkPage>, ValidationProblem, ProblemHttpResult>> ListAsync(
        HttpResponse response, LinkStore store, IOptionsMonitor<ShortLinksOptions> options, CancellationToken cancellationToken,
        string prefix = "", string after = "", int limit = 100)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (prefix.Length > 0 && !SlugRules.TryRead(prefix, options.CurrentValue, out prefix))
            errors["prefix"] = [SlugRules.Fix];
        if (after.Length > 0 && !SlugRules.IsWellFormed(after))
            errors["after"] = [SlugRules.Fix];
        if (limit is < 1 or > MaxPage)
            errors["limit"] = [$"Write a whole number from 1 to {MaxPage}."];
        if (errors.Count > 0)
            return Invalid(errors);

        var reply = await store.ListAsync(prefix, after, limit, cancellationToken);
        if (!reply.TryGet(out var page))
            return Unavailable(response);
        return TypedResults.Ok(new LinkPage(
            [.. page.Links.Select(link => LinkResponse.Of(link, options.CurrentValue))],
            page.Last is null ? null : LinkPage.NextOf(prefix, page.Last, limit)));
    }

    private static async Task<Results<Ok<LinkResponse>, ProblemHttpResult>> ReadAsync(
        string slug, HttpResponse response, LinkStore store, VisitDelivery delivery, IOptionsMonitor<ShortLinksOptions> options, CancellationToken cancellationToken)
    {
        if (!SlugRules.TryRead(slug, options.CurrentValue, out slug))
            return Missing();
        // So that whoever followed the link on this node finds the visit counted.
        await delivery.DeliverAsync(cancellationToken);
        var reply = await store.ReadAsync(slug, cancellationToken);
        var count = await store.ReadVisitsAsync(slug, cancellationToken);
        if (!reply.TryGet(out var link) || !count.TryGet(out var visits))
            return reply.IsAnswered && link is null ? Missing() : Unavailable(response);
        return link is null ? Missing() : TypedResults.Ok(LinkResponse.Of(link, options.CurrentValue, visits));
    }

    private static async Task<Results<Ok<LinkResponse>, ValidationProblem, ProblemHttpResult>> UpdateAsync(
        string slug, LinkRequest request, HttpResponse response, LinkStore store, ShortHosts hosts, IOptionsMonitor<ShortLinksOptions> options)
    {
        if (!SlugRules.TryRead(slug, options.CurrentValue, out slug))
            return Missing();
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (request.ReadSlug(options.CurrentValue, []) is { } named && named != slug)
            errors["slug"] = ["A link keeps its slug: leave it out, or make a new link."];
        if (request.Read(options.CurrentValue, hosts, errors) is not { } definition)
            return Invalid(errors);

        var reply = await store.UpdateAsync(slug, definition);
        if (!reply.TryGet(out var write))
            return Unavailable(response);
        return write.Link is { } link ? TypedResults.Ok(LinkResponse.Of(link, options.CurrentValue)) : Missing();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string slug, HttpResponse response, LinkStore store, LinkRanking ranking, IOptionsMonitor<ShortLinksOptions> options, CancellationToken cancellationToken)
    {
        if (!SlugRules.TryRead(slug, options.CurrentValue, out slug))
            return Missing();
        var reply = await store.DeleteAsync(slug);
        if (!reply.TryGet(out var wasThere))
            return Unavailable(response);
        await ranking.RemoveAsync(slug, cancellationToken);
        return wasThere ? TypedResults.NoContent() : Missing();
    }

    private static async Task<Results<Ok<LinkRankingResponse>, ValidationProblem, ProblemHttpResult>> RankAsync(
        HttpResponse response, LinkRanking ranking, CancellationToken cancellationToken, string period = "day", int limit = 10)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (!Enum.TryParse<RankingPeriod>(period, ignoreCase: true, out var parsed) || !char.IsAsciiLetter(period[0]))
            errors["period"] = ["Write hour, day or all."];
        if (limit is < 1 or > MaxPage)
            errors["limit"] = [$"Write a whole number from 1 to {MaxPage}."];
        if (errors.Count > 0)
            return Invalid(errors);

        var reply = await ranking.ReadAsync(parsed, limit, cancellationToken);
        return reply.TryGet(out var entries)
            ? TypedResults.Ok(new LinkRankingResponse(
                period.ToLowerInvariant(), [.. entries.Select(entry => new RankedLink((string)entry.Element!, (long)entry.Score))]))
            : Unavailable(response);
    }

    private static string? ReadIdempotencyKey(HttpRequest request, Dictionary<string, string[]> errors)
    {
        if (!request.Headers.TryGetValue("Idempotency-Key", out var values))
            return null;
        if (values is [{ Length: >= 1 and <= MaxIdempotencyKey } key])
            return key;
        errors["Idempotency-Key"] = [$"Send one key of 1 to {MaxIdempotencyKey} characters."];
        return null;
    }

    private static ValidationProblem Invalid(Dictionary<string, string[]> errors) =>
        TypedResults.ValidationProblem(errors, title: "The request for a short link has errors.");

    private static ProblemHttpResult Missing() => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "There is no such short link.");

    private static ProblemHttpResult Unavailable(HttpResponse response)
    {
        response.Headers.RetryAfter = "1";
        return TypedResults.Problem(
            statusCode: StatusCodes.Status503ServiceUnavailable, title: "Redis does not answer: what was asked for may or may not be done. Send it again.");
    }
}
