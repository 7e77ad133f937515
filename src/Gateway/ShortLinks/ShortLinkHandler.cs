using Gateway.Redis;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>
/// Answers a request for a short link. (1) The slug, (2) its link, (3) whether the link is valid now, (4) where it has
/// a maximum, Redis decides; else (5) the visit is counted in memory, and (6) the client is sent on.
/// </summary>
internal sealed class ShortLinkHandler(
    LinkLookup lookup, LinkStore store, VisitCounts counts, RedisClock clock, IOptionsMonitor<ShortLinksOptions> options, ShortLinksMetrics metrics)
{
    public const string SlugParameter = "slug";

    public async Task InvokeAsync(HttpContext context)
    {
        var current = options.CurrentValue;

        // 1.
        if (!SlugRules.TryRead((string?)context.Request.RouteValues[SlugParameter], current, out var slug))
        {
            await RefuseAsync(context, VisitDecision.Unknown);
            return;
        }

        // 2.
        var (isKnown, link) = await lookup.FindAsync(slug, context.RequestAborted);
        if (!isKnown)
        {
            await AnswerUnavailableAsync(context);
            return;
        }

        // 3. and 4.
        var decision = link is null ? VisitDecision.Unknown : DecideFromMemory(link);
        if (decision == VisitDecision.Admitted && link!.Definition.MaxVisits is not null)
        {
            // RFC 9110 §9.2.1: HEAD is safe, it asks but does not consume.
            var reply = await store.TryVisitAsync(slug, consume: HttpMethods.IsGet(context.Request.Method), context.RequestAborted);
            if (!reply.TryGet(out decision))
            {
                await AnswerUnavailableAsync(context);
                return;
            }
        }

        if (decision != VisitDecision.Admitted)
        {
            await RefuseAsync(context, decision);
            return;
        }

        if (ShortHosts.LeadsBack(link!.Definition.Target, context.Request, current.Prefix))
        {
            metrics.Answered("loop");
            await ProblemAsync(context, StatusCodes.Status508LoopDetected, "This short link leads to a short link.");
            return;
        }

        // 5.
        if (link.Definition.MaxVisits is null && HttpMethods.IsGet(context.Request.Method))
            counts.Add(new VisitedLink(slug, link.Id));

        // 6.
        metrics.Answered("redirected");
        context.Response.StatusCode = link.Definition.Status;
        context.Response.Headers.Location = link.Definition.Target.OriginalString;
        context.Response.Headers.CacheControl = link.CacheControl(clock.Now, current.PermanentMaxAge);
        context.Response.ContentLength = 0;
    }

    private VisitDecision DecideFromMemory(ShortLink link) => link.StateAt(clock.Now) switch
    {
        LinkState.NotYet => VisitDecision.NotYet,
        LinkState.Expired => VisitDecision.Expired,
        _ => VisitDecision.Admitted,
    };

    private Task RefuseAsync(HttpContext context, VisitDecision decision)
    {
        metrics.Answered(decision switch
        {
            VisitDecision.NotYet => "not_yet",
            VisitDecision.Expired => "expired",
            VisitDecision.UsedUp => "used_up",
            _ => "unknown",
        });
        // A link that is not valid yet looks like none: it may be a secret until then.
        return decision switch
        {
            VisitDecision.Expired => ProblemAsync(context, StatusCodes.Status410Gone, "This short link has expired."),
            VisitDecision.UsedUp => ProblemAsync(context, StatusCodes.Status410Gone, "This short link was followed as often as it may be."),
            _ => ProblemAsync(context, StatusCodes.Status404NotFound, "There is no such short link."),
        };
    }

    private Task AnswerUnavailableAsync(HttpContext context)
    {
        metrics.Answered("unavailable");
        context.Response.Headers.RetryAfter = "1";
        return ProblemAsync(context, StatusCodes.Status503ServiceUnavailable, "Short links cannot be looked up at the moment.");
    }

    private static Task ProblemAsync(HttpContext context, int status, string title)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(title: title, statusCode: status).ExecuteAsync(context);
    }
}
