using Microsoft.AspNetCore.Http.HttpResults;

namespace SampleBackend.Hosting;

/// <summary>Every refusal is an <c>application/problem+json</c> (RFC 9457) that says what to do about it.</summary>
internal static class Problems
{
    public static ProblemHttpResult BadRequest(string detail) =>
        TypedResults.Problem(detail, statusCode: StatusCodes.Status400BadRequest);

    /// <summary>A 404 that may be cached for a few seconds: a flood of requests for nothing is a load too.</summary>
    public static ProblemHttpResult NotFound(HttpContext context, string detail)
    {
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            context.Response.Headers.CacheControl = "public, max-age=5";
        return TypedResults.Problem(detail, statusCode: StatusCodes.Status404NotFound);
    }

    public static ProblemHttpResult Unavailable(HttpContext context, string detail, int retryAfterSeconds)
    {
        context.Response.Headers.RetryAfter = $"{retryAfterSeconds}";
        return TypedResults.Problem(detail, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
