using System.Text;
using Microsoft.Net.Http.Headers;

namespace Gateway.Admin;

/// <summary>
/// Answers 415 to a body in a character set that does not exist or is not to be used (UTF-7): what reads JSON for the endpoints takes that for a fault of
/// the program, and it would be a 500.
/// </summary>
internal sealed class AdminCharsetMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) => IsReadable(context.Request.ContentType)
        ? next(context)
        : TypedResults.Problem(statusCode: StatusCodes.Status415UnsupportedMediaType, detail: "The charset of Content-Type is unknown: send UTF-8.").ExecuteAsync(context);

    private static bool IsReadable(string? contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type) || type.Charset.Length == 0)
            return true;
        try
        {
            return Encoding.GetEncoding(HeaderUtilities.RemoveQuotes(type.Charset).ToString()) is not null;
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }
}
