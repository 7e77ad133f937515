using System.Buffers;
using System.Text.Json;

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
        foreach (ref readonly var state in violated)
        {
            isPossible &= state.IsPossible;
            if (state.Wait > wait)
                wait = state.Wait;
        }

        // No time to come back at where coming back does not help.
        if (isPossible)
            RateLimitFields.WriteRetryAfter(context.Response.Headers, wait);
        context.Response.Headers.CacheControl = "no-store";
        return WriteProblemAsync(context, violated, isPossible);
    }

    // Written by hand: the framework's way to a problem document costs several times what finding the client over its
    // limit does, and this is the answer to floods.
    private static Task WriteProblemAsync(HttpContext context, ReadOnlySpan<LimitState> violated, bool isPossible)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, QuotaExceeded);
            json.WriteString("title"u8, "Too many requests."u8);
            json.WriteNumber("status"u8, StatusCodes.Status429TooManyRequests);
            if (!isPossible)
                json.WriteString("detail"u8, "This request costs more than the limit ever admits."u8);
            json.WriteStartArray("violated-policies"u8);
            foreach (ref readonly var state in violated)
                json.WriteStringValue(state.Limit.Name);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        var response = context.Response;
        response.StatusCode = StatusCodes.Status429TooManyRequests;
        response.ContentType = "application/problem+json";
        response.ContentLength = body.WrittenCount;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body.WrittenMemory).AsTask();
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
