using Gateway.ShortLinks.Passwords;
using Gateway.ShortLinks.Transfer;
using Gateway.ShortLinks.Visits;
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
    /// <c>GET /links?prefix=&amp;tag=&amp;after=&amp;limit=</c> lists them; <c>GET</c>, <c>PUT</c> and <c>DELETE /links/{slug}</c>
    /// read, replace and remove one; statistics, import and export have endpoints beside these.
    /// </summary>
    public static void MapShortLinksAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/links", CreateAsync);
        admin.MapGet("/links", ListAsync);
        admin.MapGet("/links/{slug}", ReadAsync);
        admin.MapPut("/links/{slug}", UpdateAsync);
        admin.MapDelete("/links/{slug}", DeleteAsync);
        admin.MapLinkStatistics();
        admin.MapLinkTransfer();
    }

    private static async Task<Results<Created<LinkResponse>, Ok<LinkResponse>, ValidationProblem, ProblemHttpResult>> CreateAsync(
        LinkRequest request, HttpContext context, LinkEditor editor, ShortHosts hosts, IOptionsMonitor<ShortLinksOptions> options, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var slug = request.ReadSlug(options.CurrentValue, errors);
        var key = ReadIdempotencyKey(context.Request, errors);
        if (request.Read(options.CurrentValue, hosts, errors) is not { } definition)
            return LinkProblems.Invalid(errors);

        var (outcome, link) = await editor.CreateAsync(slug, definition, request.Password ?? "", request.Visits ?? 0, key, cancellationToken);
        return outcome switch
        {
            LinkCreation.Created => TypedResults.Created($"/links/{link!.Slug}", LinkResponse.Of(link, options.CurrentValue, request.Visits ?? 0)),
            LinkCreation.Existed => TypedResults.Ok(LinkResponse.Of(link!, options.CurrentValue)),
            LinkCreation.Taken => TypedResults.Problem(
                statusCode: StatusCodes.Status409Conflict, title: "Another link has this slug.", detail: "Choose another slug, or change that link by PUT."),
            LinkCreation.KeyReused => TypedResults.Problem(
                statusCode: StatusCodes.Status422UnprocessableEntity, title: "This Idempotency-Key was sent with another request.", detail: "Send a new key with a new request."),
            LinkCreation.Busy => LinkProblems.Busy(context.Response),
            _ => LinkProblems.Unavailable(context.Response),
        };
    }

    private static async Task<Results<Ok<LinkPage>, ValidationProblem, ProblemHttpResult>> ListAsync(
        HttpResponse response, LinkStore store, IOptionsMonitor<ShortLinksOptions> options, CancellationToken cancellationToken,
        string prefix = "", string tag = "", string after = "", int limit = 100)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (prefix.Length > 0 && !SlugRules.TryRead(prefix, options.CurrentValue, out prefix))
            errors["prefix"] = [SlugRules.Fix];
        if (tag.Length > 0 && !TagRules.IsWellFormed(tag))
            errors["tag"] = [TagRules.Fix];
        if (after.Length > 0 && !SlugRules.IsWellFormed(after))
            errors["after"] = [SlugRules.Fix];
        if (limit is < 1 or > MaxPage)
            errors["limit"] = [$"Write a whole number from 1 to {MaxPage}."];
        if (errors.Count > 0)
            return LinkProblems.Invalid(errors);

        tag = tag.ToLowerInvariant();
        var reply = await store.ListAsync(tag, prefix, after, limit, cancellationToken);
        if (!reply.TryGet(out var page))
            return LinkProblems.Unavailable(response);
        return TypedResults.Ok(new LinkPage(
            [.. page.Links.Select(link => LinkResponse.Of(link, options.CurrentValue))],
            page.Last is null ? null : LinkPage.NextOf(tag, prefix, page.Last, limit)));
    }

    private static async Task<Results<Ok<LinkResponse>, ProblemHttpResult>> ReadAsync(
        string slug, HttpResponse response, LinkStore store, VisitStore visits, VisitDelivery delivery, IOptionsMonitor<ShortLinksOptions> options,
        CancellationToken cancellationToken)
    {
        if (!SlugRules.TryRead(slug, options.CurrentValue, out slug))
            return LinkProblems.Missing();
        // So that whoever followed the link on this node finds the visit counted.
        await delivery.DeliverAsync(cancellationToken);
        var reply = await store.ReadAsync(slug, cancellationToken);
        var count = await visits.ReadAsync([slug], cancellationToken);
        if (!reply.TryGet(out var link) || !count.TryGet(out var found))
            return reply.IsAnswered && link is null ? LinkProblems.Missing() : LinkProblems.Unavailable(response);
        return link is null ? LinkProblems.Missing() : TypedResults.Ok(LinkResponse.Of(link, options.CurrentValue, found[0]));
    }

    private static async Task<Results<Ok<LinkResponse>, ValidationProblem, ProblemHttpResult>> UpdateAsync(
        string slug, LinkRequest request, HttpContext context, LinkStore store, PasswordHasher hasher, ShortHosts hosts, IOptionsMonitor<ShortLinksOptions> options)
    {
        if (!SlugRules.TryRead(slug, options.CurrentValue, out slug))
            return LinkProblems.Missing();
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (request.ReadSlug(options.CurrentValue, []) is { } named && named != slug)
            errors["slug"] = ["A link keeps its slug: leave it out, or make a new link."];
        if (request.Visits is not null)
            errors["visits"] = ["A link keeps its visits: leave them out."];
        if (request.Read(options.CurrentValue, hosts, errors) is not { } definition)
            return LinkProblems.Invalid(errors);
        if (request is { Password: null, PasswordHash: null })
            definition = definition with { PasswordHash = LinkDefinition.KeepPassword };
        if (request.Password is { Length: > 0 } password)
        {
            if (await hasher.TryHashAsync(password, context.RequestAborted) is not { } hash)
                return LinkProblems.Busy(context.Response);
            definition = definition with { PasswordHash = hash };
        }

        var reply = await store.UpdateAsync(slug, definition);
        if (!reply.TryGet(out var write))
            return LinkProblems.Unavailable(context.Response);
        return write.Link is { } link ? TypedResults.Ok(LinkResponse.Of(link, options.CurrentValue)) : LinkProblems.Missing();
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string slug, HttpResponse response, LinkStore store, LinkRanking ranking, IOptionsMonitor<ShortLinksOptions> options, CancellationToken cancellationToken)
    {
        if (!SlugRules.TryRead(slug, options.CurrentValue, out slug))
            return LinkProblems.Missing();
        var reply = await store.DeleteAsync(slug);
        if (!reply.TryGet(out var wasThere))
            return LinkProblems.Unavailable(response);
        await ranking.RemoveAsync(slug, cancellationToken);
        return wasThere ? TypedResults.NoContent() : LinkProblems.Missing();
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
}
