using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using SampleBackend.Hosting;

namespace SampleBackend.Identity;

/// <summary>The parameters of an OAuth 2.0 request: form-encoded, at most 64 KB, each at most once (RFC 6749 §3.2).</summary>
internal sealed class OAuthForm
{
    private readonly IFormCollection _parameters;
    private readonly string? _authorization;

    private OAuthForm(IFormCollection parameters, string? authorization, JsonHttpResult<TokenError>? error)
    {
        _parameters = parameters;
        _authorization = authorization;
        Error = error;
    }

    /// <summary>The refusal, when the body is not what it must be.</summary>
    public JsonHttpResult<TokenError>? Error { get; }

    /// <summary>The value of a parameter; null when it is absent or empty, which is the same (RFC 6749 §3.2).</summary>
    public string? this[string name] => _parameters[name].ToString() is { Length: > 0 } value ? value : null;

    /// <summary>Name and secret of the client, from the Authorization field (Basic) or the body (RFC 6749 §2.3.1).</summary>
    public (string? Name, string? Secret) ClientCredentials =>
        _authorization is null ? (this["client_id"], this["client_secret"]) : ReadBasic(_authorization);

    public static async Task<OAuthForm> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = JsonBody.MaxBytes;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ||
            !string.Equals(type.MediaType, "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
            return Refused("the body must be application/x-www-form-urlencoded");
        try
        {
            var form = await request.ReadFormAsync(context.RequestAborted);
            return form.FirstOrDefault(parameter => parameter.Value.Count > 1) is { Key: { } repeated }
                ? Refused($"{Printable(repeated)} is given more than once")
                : new OAuthForm(form, request.Headers.Authorization is [{ } value] ? value : null, null);
        }
        catch (Exception wrong) when (wrong is InvalidDataException or BadHttpRequestException)
        {
            return Refused("the body is too large or cannot be read");
        }
    }

    public static JsonHttpResult<TokenError> Refuse(string error, string description, int status = StatusCodes.Status400BadRequest) =>
        TypedResults.Json(new TokenError(error, description), StorefrontJson.Default.TokenError, statusCode: status);

    /// <summary>RFC 6749 §5.2, <c>invalid_client</c>.</summary>
    public static JsonHttpResult<TokenError> RefuseClient(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"storefront identity\"";
        return Refuse("invalid_client", "client_id or client_secret is missing or wrong", StatusCodes.Status401Unauthorized);
    }

    private static OAuthForm Refused(string description) =>
        new(FormCollection.Empty, null, Refuse("invalid_request", description));

    // Only these characters may stand in a description (RFC 6749 §5.2).
    private static string Printable(string text) =>
        text.Length <= 40 && text.All(c => c is >= ' ' and < '\x7f' and not ('"' or '\\')) ? text : "a parameter";

    private static (string? Name, string? Secret) ReadBasic(string authorization)
    {
        if (!AuthenticationHeaderValue.TryParse(authorization, out var credentials) ||
            !string.Equals(credentials.Scheme, "Basic", StringComparison.OrdinalIgnoreCase))
            return default;

        var decoded = new byte[credentials.Parameter?.Length ?? 0];
        if (!Convert.TryFromBase64String(credentials.Parameter ?? "", decoded, out var length)) return default;
        var parts = Encoding.UTF8.GetString(decoded, 0, length).Split(':', 2);
        return parts.Length == 2 ? (WebUtility.UrlDecode(parts[0]), WebUtility.UrlDecode(parts[1])) : default;
    }
}
