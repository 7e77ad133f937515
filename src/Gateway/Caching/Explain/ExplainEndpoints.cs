using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Gateway.Caching.Explain;

/// <summary>Explanations on the admin listener.</summary>
internal static class ExplainEndpoints
{
    private const int MaxRequestBytes = 64 * 1024;
    private const int MaxFields = 100;

    /// <summary><c>POST /cache/explain</c>: see <see cref="ExplainRequest"/> and <see cref="CacheExplanation"/>.</summary>
    public static void MapHttpCacheExplain(this IEndpointRouteBuilder admin) =>
        admin.MapPost("/cache/explain", ExplainAsync).WithMetadata(new RequestSizeLimitAttribute(MaxRequestBytes));

    private static async Task<Results<Ok<CacheExplanation>, ValidationProblem>> ExplainAsync(ExplainRequest request, ExplainPipeline pipeline, HttpContext admin)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var context = new DefaultHttpContext { RequestServices = admin.RequestServices, RequestAborted = admin.RequestAborted };
        ReadTarget(request, context.Request, errors);
        ReadFields(request, context.Request.Headers, errors);
        return errors.Count == 0
            ? TypedResults.Ok(await pipeline.RunAsync(context))
            : TypedResults.ValidationProblem(errors, title: "This is no request that could be explained.");
    }

    private static void ReadTarget(ExplainRequest request, HttpRequest target, Dictionary<string, string[]> errors)
    {
        target.Method = request.Method ?? HttpMethods.Get;
        if (!FieldRules.IsToken(target.Method))
            errors["method"] = ["Write a method such as GET."];
        if (!CacheKey.TryReadUrl(request.Url, out var uri))
        {
            errors["url"] = ["Write an absolute http or https URL as clients see it, such as http://localhost:8080/catalog/1."];
            return;
        }

        target.Scheme = uri.Scheme;
        target.Host = HostString.FromUriComponent(uri);
        target.Path = CacheKey.DecodePath(uri.AbsolutePath);
        target.QueryString = new QueryString(UrlQuery.Of(request.Url!));
    }

    private static void ReadFields(ExplainRequest request, IHeaderDictionary fields, Dictionary<string, string[]> errors)
    {
        if (request.Fields?.Count > MaxFields)
            errors["fields"] = [$"Write at most {MaxFields} fields."];
        foreach (var (name, value) in request.Fields ?? new Dictionary<string, string>())
        {
            // The host is the URL's: another here would route elsewhere than the key says.
            if (!FieldRules.IsToken(name) || value is null || value.Any(char.IsControl) || name.Equals("Host", StringComparison.OrdinalIgnoreCase))
                errors[$"fields.{name}"] = ["Write a field name other than Host, and a value without control characters."];
            else
                fields[name] = value;
        }
    }
}
