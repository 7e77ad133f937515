using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Sessions.Store;

/// <summary>Sessions of subjects on the admin listener, for applications that share the gateway's Redis and key prefix.</summary>
internal static class SubjectSessionEndpoints
{
    private const int MaxLength = 4096;
    private const string RetryAfterSeconds = "1";

    /// <summary>
    /// <c>GET /sessions?subject=…</c> lists a subject's sessions, <c>DELETE /sessions?subject=…</c> ends them, with
    /// <c>&amp;id=…</c> one of them. The subject is in the query, which the audit log leaves out.
    /// </summary>
    public static void MapSubjectSessionsAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapGet("/sessions", ListAsync);
        admin.MapDelete("/sessions", EndAsync);
    }

    private static async Task<Results<Ok<SubjectSessionList>, ValidationProblem, ProblemHttpResult>> ListAsync(
        SubjectSessions sessions, HttpResponse response, CancellationToken cancellationToken, string? subject = null)
    {
        if (Check(subject, id: null) is { } problem)
            return problem;
        try
        {
            return TypedResults.Ok(new SubjectSessionList(await sessions.ListAsync(subject!, cancellationToken)));
        }
        catch (SessionStoreUnavailableException)
        {
            return Unavailable(response, "Redis does not answer.");
        }
    }

    private static async Task<Results<Ok<SubjectSessionsEnded>, ValidationProblem, ProblemHttpResult>> EndAsync(
        SubjectSessions sessions, HttpResponse response, ILogger<SubjectSessions> logger, CancellationToken cancellationToken, string? subject = null, string? id = null)
    {
        if (Check(subject, id) is { } problem)
            return problem;
        try
        {
            var count = await sessions.EndAsync(subject!, id, cancellationToken);
            SessionsLog.SessionsEnded(logger, count);
            return TypedResults.Ok(new SubjectSessionsEnded(count));
        }
        catch (SessionStoreUnavailableException)
        {
            return Unavailable(response, "Redis does not answer: the sessions may have ended or not.");
        }
    }

    private static ValidationProblem? Check(string? subject, string? id)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (subject is not { Length: > 0 and <= MaxLength })
            errors["subject"] = [$"Name one: ?subject=…, with 1 to {MaxLength} characters."];
        if (id is { Length: 0 } || id?.All(char.IsAsciiHexDigitLower) == false)
            errors["id"] = ["Write an id that GET /sessions lists, or none: all sessions of the subject."];
        return errors.Count > 0 ? TypedResults.ValidationProblem(errors, title: "The request names no sessions.") : null;
    }

    private static ProblemHttpResult Unavailable(HttpResponse response, string title)
    {
        response.Headers.RetryAfter = RetryAfterSeconds;
        return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: title);
    }
}

/// <summary>A subject's sessions, the oldest first.</summary>
internal sealed record SubjectSessionList(IReadOnlyList<SubjectSession> Sessions);

/// <summary>How many sessions were ended.</summary>
internal sealed record SubjectSessionsEnded(int Ended);
