using Gateway.Redis;
using Gateway.ShortLinks.Passwords;
using Gateway.ShortLinks.Visits;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>
/// Answers a request for a short link. (1) A client that guesses is refused; (2) the slug and its link; (3) whether the
/// link is valid now, and where it leads; (4) a protected link asks for its password; (5) where it has a maximum, Redis
/// decides, else the visit is counted in memory; (6) the client is sent on. Where Redis says that another link has the
/// slug, (3) begins anew, with that.
/// </summary>
internal sealed class ShortLinkHandler(
    LinkLookup lookup, VisitStore visits, VisitCounts counts, LinkRanking ranking, SlugGuesses guesses, PasswordGate passwords, ShortLinkAnswers answers,
    RedisClock clock, IOptionsMonitor<ShortLinksOptions> options, ShortLinksMetrics metrics)
{
    public const string SlugParameter = "slug";
    public const string SuffixParameter = "suffix";

    private const int SecondsPerDay = 86400;

    public async Task InvokeAsync(HttpContext context)
    {
        // 1.
        var client = ClientNetwork.Of(context.Connection.RemoteIpAddress);
        if (guesses.IsOver(client, out var retryAfter))
        {
            await answers.LimitedAsync(context, retryAfter);
            return;
        }

        // 2.
        var current = options.CurrentValue;
        var (isKnown, link) = SlugRules.TryRead((string?)context.Request.RouteValues[SlugParameter], current, out var slug)
            ? await lookup.FindAsync(slug, context.RequestAborted)
            : new LinkAnswer(true, null);
        if (!isKnown)
        {
            await answers.UnavailableAsync(context);
            return;
        }

        if (await TryFollowAsync(context, link, current, client))
            return;
        // The change log has not told of it yet.
        (isKnown, link) = await lookup.ReadAsync(slug, context.RequestAborted);
        if (!isKnown || !await TryFollowAsync(context, link, current, client))
            await answers.UnavailableAsync(context);
    }

    /// <returns>False: another link has the slug, and nothing is answered.</returns>
    private async ValueTask<bool> TryFollowAsync(HttpContext context, ShortLink? link, ShortLinksOptions current, ulong client)
    {
        // 3.
        var decision = link is null ? VisitDecision.Unknown : DecideFromMemory(link);
        var location = link is null ? null : Locate(context, link, current);
        if (decision != VisitDecision.Admitted || location is null)
        {
            await answers.RefuseAsync(context, location is null ? VisitDecision.Unknown : decision, link, client);
            return true;
        }

        if (LeadsBack(context.Request, link!, location, current))
        {
            await answers.LoopAsync(context);
            return true;
        }

        // 4.
        var isPost = HttpMethods.IsPost(context.Request.Method);
        if (link!.Definition.PasswordHash.Length > 0)
        {
            if (!await passwords.AdmitAsync(context, link, client))
                return true;
        }
        else if (isPost)
        {
            await answers.MethodNotAllowedAsync(context);
            return true;
        }

        // 5. and 6.
        if (link.Definition.MaxVisits is null)
            CountInMemory(context, link, current);
        else if (await ConsumeAsync(context, link, current) is var consumed and not VisitDecision.Admitted)
            return await TryRefuseAsync(context, consumed, link, client);
        Redirect(context.Response, link, location, current, isPost);
        return true;
    }

    private VisitDecision DecideFromMemory(ShortLink link) => link.StateAt(clock.Now) switch
    {
        LinkState.NotYet => VisitDecision.NotYet,
        LinkState.Expired => VisitDecision.Expired,
        _ => VisitDecision.Admitted,
    };

    // Null: the request has a path after the slug that the link does not take.
    private static string? Locate(HttpContext context, ShortLink link, ShortLinksOptions current)
    {
        var (location, forwarding) = (link.Definition.Target.OriginalString, link.Definition.Forwarding);
        if (context.Request.RouteValues.TryGetValue(SuffixParameter, out var suffix) && suffix is string { Length: > 0 })
        {
            if (!forwarding.HasFlag(LinkForwarding.Path) || RawSuffix(context, current) is not { } raw
                || TargetForwarding.AppendPath(location, raw) is not { } longer)
                return null;
            location = longer;
        }

        return forwarding.HasFlag(LinkForwarding.Query) && context.Request.QueryString.Value is { Length: > 1 } query
            ? TargetForwarding.AppendQuery(location, query[1..])
            : location;
    }

    // As the client wrote it: what routing has decoded could not be written down again the same way.
    private static string? RawSuffix(HttpContext context, ShortLinksOptions current)
    {
        var before = $"{current.Prefix}/{context.Request.RouteValues[SlugParameter]}/";
        var path = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        var at = -1;
        for (var slashes = before.Count(c => c == '/'); slashes > 0; slashes--)
        {
            at = path.IndexOf('/', at + 1);
            if (at < 0)
                return null;
        }

        // Anything else, such as dot segments that are resolved, or a whole URL, is not worth understanding.
        return Uri.UnescapeDataString(path[..(at + 1)]).Equals(before, StringComparison.OrdinalIgnoreCase) ? path[(at + 1)..] : null;
    }

    private static bool LeadsBack(HttpRequest request, ShortLink link, string location, ShortLinksOptions current) =>
        ShortHosts.LeadsBack(
            link.Definition.Forwarding.HasFlag(LinkForwarding.Path) ? new Uri(location) : link.Definition.Target, request, current);

    private void CountInMemory(HttpContext context, ShortLink link, ShortLinksOptions current)
    {
        if (!Visitors.IsVisit(context.Request, current.CountBots))
            return;
        var day = (int)(clock.Now.ToUnixTimeSeconds() / SecondsPerDay);
        counts.Add(new VisitedLink(link.Slug, link.Id), new VisitDetail(day, Referrer.HostOf(context.Request.Headers.Referer)));
    }

    // Null: Redis gave no answer.
    private async ValueTask<VisitDecision?> ConsumeAsync(HttpContext context, ShortLink link, ShortLinksOptions current)
    {
        var visited = new VisitedLink(link.Slug, link.Id);
        var consume = Visitors.IsVisit(context.Request, current.CountBots);
        var reply = await visits.TryVisitAsync(visited, consume, Referrer.HostOf(context.Request.Headers.Referer), context.RequestAborted);
        if (!reply.TryGet(out var visit))
            return null;
        if (consume && visit.Decision == VisitDecision.Admitted)
            ranking.Note(visited, visit.Total);
        return visit.Decision;
    }

    private async ValueTask<bool> TryRefuseAsync(HttpContext context, VisitDecision? consumed, ShortLink link, ulong client)
    {
        if (consumed is VisitDecision.Replaced)
            return false;
        if (consumed is { } decision)
            await answers.RefuseAsync(context, decision, link, client);
        else
            await answers.UnavailableAsync(context);
        return true;
    }

    private void Redirect(HttpResponse response, ShortLink link, string location, ShortLinksOptions current, bool isPost)
    {
        metrics.Answered("redirected");
        // RFC 9110 §15.4.4: the target gets no POST. By 307 or 308 it would get the password.
        response.StatusCode = isPost ? StatusCodes.Status303SeeOther : link.Definition.Status;
        response.Headers.Location = location;
        response.Headers.CacheControl = link.CacheControl(clock.Now, current.PermanentMaxAge);
        response.ContentLength = 0;
    }
}
