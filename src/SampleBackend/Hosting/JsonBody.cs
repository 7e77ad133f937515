using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace SampleBackend.Hosting;

/// <summary>Reads a JSON request body of at most 64 KB, or says as a problem why it cannot.</summary>
internal static class JsonBody
{
    public const int MaxBytes = 64 * 1024;

    public static async Task<(T? Value, ProblemHttpResult? Problem)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (!context.Request.HasJsonContentType())
            return (null, TypedResults.Problem("Content-Type must be application/json.", statusCode: StatusCodes.Status415UnsupportedMediaType));

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBytes;
        try
        {
            var value = await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted);
            return value is null ? (null, Problems.BadRequest("The body is null; an object is expected.")) : (value, null);
        }
        catch (JsonException wrong)
        {
            return (null, Problems.BadRequest($"The body is not the JSON expected here (at {wrong.Path ?? "$"}, line {wrong.LineNumber + 1})."));
        }
        catch (BadHttpRequestException wrong)
        {
            return (null, TypedResults.Problem(wrong.Message, statusCode: wrong.StatusCode));
        }
    }
}
