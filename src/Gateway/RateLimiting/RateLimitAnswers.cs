namespace Gateway.RateLimiting;

/// <summary>What a request that does not pass is answered.</summary>
internal static class RateLimitAnswers
{
    // draft-ietf-httpapi-ratelimit-headers-10 §5.
    private const string QuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";

    private static readonly TimeSpan RetryWithoutRedis = TimeSpan.FromSeconds(1);

    /// <summary>429, with when to come back, and which limits were met.</summary>
    public static Task RejectAsync(HttpContext context, ReadOnlySpan<LimitState> violated)
    {
        var wait = TimeSpan.Zero;
        var isPossible = true;
        var names = new List<string>(violated.Length);
        foreach (ref readonly var state in violated)
        {
            names.Add(state.Limit.Name);
            isPossible &= state.IsPossible;
            if (state.Wait > wait)
                wait = state.Wait;
        }

        // No time to come back at where coming back does not help.
        if (isPossible)
            RateLimitFields.WriteRetryAfter(context.Response.Headers, wait);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(
            type: QuotaExceeded,
            title: "Too many requests.",
            detail: isPossible ? null : "This request costs more than the limit ever admits.",
            statusCode: StatusCodes.Status429TooManyRequests,
            extensions: [new("violated-policies", names)]).ExecuteAsync(context);
    }

    /// <summary>503: nothing passes uncounted here.</summary>
    public static Task RefuseWithoutRedisAsync(HttpContext context)
    {
        RateLimitFields.WriteRetryAfter(context.Response.Headers, RetryWithoutRedis);
        return AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "Requests cannot be counted at the moment.");
    }

    /// <summary>403: the client is on the policy's deny list.</summary>
    public static Task DenyAsync(HttpContext context) => AnswerAsync(context, StatusCodes.Status403Forbidden, "This client is not admitted.");

    /// <summary>400: a field that says what the request costs does not.</summary>
    public static Task RefuseCostAsync(HttpContext context, string field) =>
        AnswerAsync(context, StatusCodes.Status400BadRequest, $"The field {field} holds no cost: send one whole number from 1 to {RequestCost.Max}.");

    private static Task AnswerAsync(HttpContext context, int status, string title)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(title: title, statusCode: status).ExecuteAsync(context);
    }
}
