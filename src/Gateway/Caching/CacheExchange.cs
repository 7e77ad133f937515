using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.ChangeLog;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching;

/// <summary>A request on its way through the cache: what is worked out once and asked for in several places.</summary>
internal sealed class CacheExchange
{
    private Selector[]? _targetSelectors;

    public CacheExchange(HttpContext context, HttpCachePolicy policy)
    {
        Context = context;
        Policy = policy;
        RouteId = context.GetEndpoint()?.DisplayName ?? "";
        PrimaryKey = CacheKey.Primary(RouteId, policy.Fingerprint, context.Request);
        Request = ReadFacts(context);
        SelectingFields = policy.Options.NormalizeNegotiation ? Normalized(context.Request.Headers) : context.Request.Headers;
    }

    public HttpContext Context { get; }

    public HttpCachePolicy Policy { get; }

    /// <summary>YARP names an endpoint by its route's id.</summary>
    public string RouteId { get; }

    public string PrimaryKey { get; }

    public RequestFacts Request { get; }

    /// <summary>The request fields that select among variants: the client's, negotiation normalised if the policy says so. RFC 9111 §4.1.</summary>
    public IHeaderDictionary SelectingFields { get; }

    /// <summary>How the change log can name anything stored for this target, before its tags are known.</summary>
    public Selector[] TargetSelectors => _targetSelectors ??= SelectorsOf(RouteId, CacheKey.Url(Context.Request));

    private static Selector[] SelectorsOf(string routeId, string url) =>
        [Selector.All, Selector.Route(routeId), Selector.Url(url), .. CacheKey.Prefixes(url).Select(Selector.UrlPrefix)];

    private static RequestFacts ReadFacts(HttpContext context)
    {
        var fields = context.Request.Headers;
        return new RequestFacts
        {
            CacheControl = CacheControl.Parse(fields.CacheControl),
            IsAuthorized = fields.Authorization.Count > 0 || context.User.Identity?.IsAuthenticated == true,
            IfNoneMatch = Combined(fields.IfNoneMatch),
            IfModifiedSince = Combined(fields.IfModifiedSince),
            Range = HttpMethods.IsGet(context.Request.Method) ? Combined(fields.Range) : null,
            IfRange = Combined(fields.IfRange),
        };
    }

    private static HeaderDictionary Normalized(IHeaderDictionary fields)
    {
        var normalized = new HeaderDictionary(fields.Count);
        foreach (var (name, value) in fields)
            normalized[name] = value;
        foreach (var name in NegotiationFields.Names)
        {
            if (fields.TryGetValue(name, out var value))
                normalized[name] = NegotiationFields.Normalize(value);
        }

        return normalized;
    }

    private static string? Combined(StringValues values) => values.Count == 0 ? null : values.ToString();
}
