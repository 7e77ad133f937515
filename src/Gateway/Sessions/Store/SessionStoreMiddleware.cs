namespace Gateway.Sessions.Store;

/// <summary>Answers 503 where a request needs a session and Redis does not answer.</summary>
internal sealed class SessionStoreMiddleware(RequestDelegate next)
{
    private const string RetryAfterSeconds = "1";

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (SessionStoreUnavailableException) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await AnswerAsync(context);
        }
    }

    public static Task AnswerAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = RetryAfterSeconds;
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(
            statusCode: StatusCodes.Status503ServiceUnavailable, detail: "Sessions cannot be read or changed at the moment; look again shortly.")
            .ExecuteAsync(context);
    }
}

/// <summary>On a request whose cookie names a session that could not be read.</summary>
internal sealed class UnreadSession
{
    public static readonly UnreadSession Instance = new();
}
