using System.Globalization;
using Gateway.ShortLinks.Visits;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>What requests for short links are answered, the redirect apart.</summary>
internal sealed class ShortLinkAnswers(ExpiredLinkPage expired, SlugGuesses guesses, IOptionsMonitor<ShortLinksOptions> options, ShortLinksMetrics metrics)
{
    /// <summary>Answers a visit that is not admitted.</summary>
    public Task RefuseAsync(HttpContext context, VisitDecision decision, ShortLink? link, ulong client)
    {
        metrics.Answered(decision switch
        {
            VisitDecision.NotYet => "not_yet",
            VisitDecision.Expired => "expired",
            VisitDecision.UsedUp => "used_up",
            _ => "unknown",
        });
        if (decision is VisitDecision.Expired)
            return GoneAsync(context, link, "This short link has expired.");
        if (decision is VisitDecision.UsedUp)
            return GoneAsync(context, link, "This short link was followed as often as it may be.");
        // A link that is not valid yet looks like none: it may be a secret until then.
        guesses.Note(client);
        return ProblemAsync(context, StatusCodes.Status404NotFound, "There is no such short link.");
    }

    /// <summary>Answers a client that got too many answers 404.</summary>
    public Task LimitedAsync(HttpContext context, TimeSpan retryAfter)
    {
        metrics.Answered("guessing");
        context.Response.Headers.RetryAfter = Math.Ceiling(retryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return ProblemAsync(context, StatusCodes.Status429TooManyRequests, "Too many requests for short links that do not exist.");
    }

    public Task UnavailableAsync(HttpContext context)
    {
        metrics.Answered("unavailable");
        context.Response.Headers.RetryAfter = "1";
        return ProblemAsync(context, StatusCodes.Status503ServiceUnavailable, "Short links cannot be looked up at the moment.");
    }

    public Task LoopAsync(HttpContext context)
    {
        metrics.Answered("loop");
        return ProblemAsync(context, StatusCodes.Status508LoopDetected, "This short link leads to a short link.");
    }

    /// <summary>Answers a POST for a link that has no password.</summary>
    public Task MethodNotAllowedAsync(HttpContext context)
    {
        metrics.Answered("method");
        context.Response.Headers.Allow = "GET, HEAD";
        return ProblemAsync(context, StatusCodes.Status405MethodNotAllowed, "This short link is followed by GET.");
    }

    /// <summary>Answers by the page that asks for a password.</summary>
    public Task PasswordAsync(HttpContext context, string outcome, Func<HttpContext, Task> write)
    {
        metrics.Answered(outcome);
        return write(context);
    }

    public static Task ProblemAsync(HttpContext context, int status, string title)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(title: title, statusCode: status).ExecuteAsync(context);
    }

    // Null: nowhere else than here, or to a short link, which could be this one.
    private string? ExpiredTarget(HttpRequest request, ShortLink? link)
    {
        var current = options.CurrentValue;
        var target = link?.Definition.ExpiredTarget ?? (current.ExpiredTarget is { Length: > 0 } configured ? new Uri(configured) : null);
        return target is null || ShortHosts.LeadsBack(target, request, current) ? null : target.OriginalString;
    }

    private async Task GoneAsync(HttpContext context, ShortLink? link, string title)
    {
        if (ExpiredTarget(context.Request, link) is { } target)
        {
            context.Response.StatusCode = StatusCodes.Status302Found;
            context.Response.Headers.Location = target;
            context.Response.Headers.CacheControl = "no-store";
            context.Response.ContentLength = 0;
        }
        else if (await expired.ReadAsync(context.RequestAborted) is { } page)
        {
            context.Response.StatusCode = StatusCodes.Status410Gone;
            context.Response.ContentType = "text/html; charset=utf-8";
            context.Response.Headers.CacheControl = "no-store";
            context.Response.ContentLength = page.Length;
            if (!HttpMethods.IsHead(context.Request.Method))
                await context.Response.Body.WriteAsync(page, context.RequestAborted);
        }
        else
        {
            await ProblemAsync(context, StatusCodes.Status410Gone, title);
        }
    }
}
