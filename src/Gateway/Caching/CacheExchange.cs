using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.Extensions.Primitives;

namespace Gateway.Caching;

/// <summary>A request on its way through the cache: what is worked out once and asked for in several places.</summary>
internal sealed class CacheExchange
{
    // The policy's fingerprint, and what else the policy varies by.
    private readonly string _group;
    private string? _primaryKey;
    private Selector[]? _targetSelectors;
    private (VaryRule Rule, string? Text) _suffix;

    public CacheExchange(HttpContext context, HttpCachePolicy policy)
    {
        Context = context;
        Policy = policy;
        RouteId = context.GetEndpoint()?.DisplayName ?? "";
        SelectingFields = policy.Options.NormalizeNegotiation ? Normalized(context.Request.Headers) : context.Request.Headers;
        var isShared = policy.Vary?.SharesCredentials(context) ?? false;
        _group = policy.Vary is { } vary ? policy.Fingerprint + vary.GroupOf(context, SelectingFields, isShared) : policy.Fingerprint;
        Request = ReadFacts(context, isShared, policy.Options.ClientDirectives);
    }

    public HttpContext Context { get; }

    public HttpCachePolicy Policy { get; }

    /// <summary>YARP names an endpoint by its route's id.</summary>
    public string RouteId { get; }

    /// <summary>The key of everything stored for the target, as a string: a hit in memory does without.</summary>
    public string PrimaryKey => _primaryKey ??= CacheKey.Primary(RouteId, _group, Context.Request);

    public RequestFacts Request { get; }

    /// <summary>The request fields that select among variants: the client's, negotiation normalised if the policy says so. RFC 9111 §4.1.</summary>
    public IHeaderDictionary SelectingFields { get; }

    /// <summary>
    /// Under <see cref="ClientDirectives.Collapse"/>: since when a response from the origin satisfies this request whatever
    /// it demands. Null: its demands count as they are.
    /// </summary>
    public DateTimeOffset? SatisfiedSince { get; set; }

    /// <summary>How the change log can name anything stored for this target, before its tags are known.</summary>
    public Selector[] TargetSelectors => _targetSelectors ??= Keys.TargetSelectors.Of(RouteId, Policy.Reduced(CacheKey.Url(Context.Request)));

    /// <summary>What <see cref="CacheKey.VariantSuffix"/> makes of this request's fields.</summary>
    public string VariantSuffix(VaryRule rule)
    {
        if (_suffix.Text is null || !_suffix.Rule.Equals(rule))
            _suffix = (rule, CacheKey.VariantSuffix(rule, SelectingFields));
        return _suffix.Text;
    }

    /// <summary>The key of the one variant that this request's fields select.</summary>
    public string VariantKey(VaryRule rule) => PrimaryKey + VariantSuffix(rule);

    /// <summary>Looks for a stored response in this process.</summary>
    public Lookup FindInMemory(ResponseStore store)
    {
        var key = new KeyWriter(stackalloc char[CacheKey.UsualLength]);
        CacheKey.WritePrimary(ref key, RouteId, _group, Context.Request);
        var lookup = store.FindInMemory(ref key, SelectingFields);
        key.Dispose();
        return lookup;
    }

    /// <summary>The request as it judges a response that came while it waited.</summary>
    public RequestFacts DemandsOn(StoredResponse response) =>
        response.ResponseTime >= SatisfiedSince ? Request with { CacheControl = default } : Request;

    /// <summary>The request as a response of a status is judged by: its fields are looked through only for an error.</summary>
    public RequestFacts RequestBehind(int status) =>
        status < StatusCodes.Status400BadRequest ? Request : Request with { IsUnusual = IsUnusual(Context.Request.Headers) };

    private static bool IsUnusual(IHeaderDictionary fields) =>
        fields.Sum(field => field.Value.Sum(line => line?.Length + field.Key.Length)) > RequestFacts.UsualLength
        || fields.Any(field => field.Value.Any(line => !FieldRules.IsValue(line)));

    /// <summary>Whether a request carries credentials, or the gateway established an identity for it, which counts as much. RFC 9111 §3.5.</summary>
    public static bool HasCredentials(HttpContext context) => context.Request.Headers.Authorization.Count > 0 || HasIdentity(context);

    // HttpContext.User would make up a principal for each request without one.
    private static bool HasIdentity(HttpContext context) =>
        context.Features.Get<IHttpAuthenticationFeature>()?.User?.Identity?.IsAuthenticated == true;

    private static RequestFacts ReadFacts(HttpContext context, bool isShared, ClientDirectives directives)
    {
        var fields = context.Request.Headers;
        return new RequestFacts
        {
            CacheControl = directives == ClientDirectives.Ignore ? default : CacheControl.Parse(fields.CacheControl),
            IsAuthorized = !isShared && HasCredentials(context),
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
