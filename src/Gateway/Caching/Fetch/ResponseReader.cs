using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Caching.Fetch;

/// <summary>Reads a response that the rest of the pipeline produced, as the rules and the store want it.</summary>
internal static class ResponseReader
{
    // Most responses are without own fields. Nobody adds to it.
    private static readonly HashSet<string> NoFields = [];
    private static readonly char[] TagSeparators = [' ', ','];

    /// <summary>The names of the fields that the gateway has set on a response before it forwards the request.</summary>
    public static HashSet<string> OwnFields(HttpResponse response) =>
        response.Headers.Count == 0 ? NoFields : new(response.Headers.Keys, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether YARP failed to forward: it then answers itself, or breaks the body off, and does not throw.</summary>
    public static bool HasForwarderError(HttpContext context) => context.Features.Get<IForwarderErrorFeature>() is not null;

    /// <param name="ownFields">Names that the gateway had set before it forwarded: they are no part of the origin's response.</param>
    /// <param name="now">When the response came.</param>
    public static ResponseFacts Read(HttpContext context, HashSet<string> ownFields, DateTimeOffset now)
    {
        var facts = Read(context.Response.Headers, context.Response.StatusCode, now);
        if (ownFields.Contains(HeaderNames.SetCookie) || OriginCookies(context).Count == 0)
            return facts;
        // Cookies that are not stored anyway keep nothing else from being stored.
        var isStored = facts.CacheControl.UnstoredFields?.Contains(HeaderNames.SetCookie, StringComparer.OrdinalIgnoreCase) != true;
        return facts with { SetsCookie = isStored };
    }

    /// <summary>The response as it will be stored, still without its body.</summary>
    public static StoredResponse Describe(CacheExchange exchange, HashSet<string> ownFields, ResponseFacts facts, in FetchTimes times)
    {
        var (context, policy) = (exchange.Context, exchange.Policy);
        var initialAge = Freshness.CorrectedInitialAge(facts, times.Request, times.Response);
        return new StoredResponse
        {
            Status = facts.Status,
            Fields = StoredFields(context, ownFields, policy.Options.SetCookie, facts.Date),
            Body = default,
            ResponseTime = times.Response,
            InitialAge = initialAge,
            FreshnessLifetime = Freshness.Lifetime(facts, policy.Storage.Lifetime, initialAge) ?? 0,
            Stamp = times.Stamp,
            Selectors = [.. exchange.TargetSelectors, .. Tags(context.Response.Headers, policy.Options)],
        };
    }

    /// <summary>The fields to store: the origin's own, without those of one connection or made anew each time. RFC 9111 §3.1.</summary>
    public static KeyValuePair<string, StringValues>[] StoredFields(
        HttpContext context, HashSet<string> ownFields, SetCookieHandling setCookie, DateTimeOffset date)
    {
        var fields = context.Response.Headers;
        string[] nominated = [.. ConnectionFields.NamesIn(fields.Connection)];
        var unstored = DirectivesOf(fields, out _).UnstoredFields ?? [];
        var stored = new List<KeyValuePair<string, StringValues>>(fields.Count + 1);
        foreach (var field in fields)
        {
            if (ownFields.Contains(field.Key) || !FieldRules.IsStored(field.Key)
                || nominated.Contains(field.Key, StringComparer.OrdinalIgnoreCase) || unstored.Contains(field.Key, StringComparer.OrdinalIgnoreCase))
                continue;
            var value = field.Key.Equals(HeaderNames.SetCookie, StringComparison.OrdinalIgnoreCase)
                ? (setCookie == SetCookieHandling.Store ? OriginCookies(context) : StringValues.Empty)
                : field.Value;
            if (value.Count > 0)
                stored.Add(new(field.Key, Shared(value)));
        }

        // A response without Date gets the time it came: RFC 9110 §6.6.1.
        if (fields.Date.Count == 0)
            stored.Add(new(HeaderNames.Date, SharedText.Of(HttpDate.Format(date))));
        return [.. stored];
    }

    /// <summary>What the policy and the origin tag the response with, for purges. Tags that are none, or too many, are left out.</summary>
    public static IEnumerable<Selector> Tags(IHeaderDictionary fields, HttpCachePolicyOptions policy)
    {
        if (policy.Tags.Count == 0 && !fields.ContainsKey(policy.TagField))
            return [];
        var named = policy.TagField.Length == 0
            ? []
            : fields[policy.TagField].SelectMany(line => (line ?? "").Split(TagSeparators, StringSplitOptions.RemoveEmptyEntries));
        return policy.Tags.Concat(named).Where(HttpCachePolicyValidator.IsTag).Distinct(StringComparer.Ordinal)
            .Take(HttpCachePolicyValidator.MaxTags).Select(tag => new Selector(SharedText.Of(Selector.Tag(tag).Text)));
    }

    /// <summary>A stored response with the fields of a 304 (Not Modified), or a response to HEAD, that confirmed it. RFC 9111 §3.2, §4.3.4, §4.3.5.</summary>
    /// <param name="refusal">Why it must not be stored: to update is to store, so that the rules of RFC 9111 §3 hold for it.</param>
    public static StoredResponse Freshen(
        CacheExchange exchange, HashSet<string> ownFields, StoredResponse stored, in FetchTimes times, out CacheReason refusal)
    {
        var (context, policy) = (exchange.Context, exchange.Policy);
        var updates = StoredFields(context, ownFields, policy.Options.SetCookie, times.Response)
            .Where(field => FieldRules.IsUpdatedByNotModified(field.Key)).ToArray();
        var kept = stored.Fields.Where(field => !updates.Any(update => update.Key.Equals(field.Key, StringComparison.OrdinalIgnoreCase)));
        var fields = kept.Concat(updates).ToArray();

        var merged = new HeaderDictionary(fields.Length);
        foreach (var (name, value) in fields)
            merged[name] = value;
        // Age is of this answer, not of the stored one.
        var facts = Read(merged, stored.Status, times.Response) with { Age = AgeField.Parse(context.Response.Headers.Age) };
        refusal = StorageRules.Decide(exchange.Request, facts, policy.Storage);
        var initialAge = Freshness.CorrectedInitialAge(facts, times.Request, times.Response);
        return stored with
        {
            Fields = fields,
            ResponseTime = times.Response,
            InitialAge = initialAge,
            FreshnessLifetime = Freshness.Lifetime(facts, policy.Storage.Lifetime, initialAge) ?? 0,
            Stamp = times.Stamp,
        };
    }

    private static StringValues Shared(StringValues value) => value is [{ } text] ? new StringValues(SharedText.Of(text)) : value;

    private static ResponseFacts Read(IHeaderDictionary fields, int status, DateTimeOffset now)
    {
        var control = DirectivesOf(fields, out var isTargeted);
        return new ResponseFacts
        {
            Status = status,
            CacheControl = control,
            Date = HttpDate.Parse(fields.Date, now) ?? now,
            Age = AgeField.Parse(fields.Age),
            HasExpires = !isTargeted && fields.Expires.Count > 0,
            // Several differing values are as good as none: RFC 9111 §4.2.1.
            Expires = fields.Expires.Count == 1 ? HttpDate.Parse(fields.Expires, now) : null,
            LastModified = HttpDate.Parse(fields.LastModified, now),
            ETag = fields.ETag.Count == 1 ? fields.ETag[0] : null,
            Vary = VaryRule.Of(fields.Vary, fields.ContentEncoding),
            IsEventStream = fields.ContentType.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase),
        };
    }

    private static CacheControl DirectivesOf(IHeaderDictionary fields, out bool isTargeted) =>
        TargetedCacheControl.Select(fields[TargetedCacheControl.FieldName], fields.CacheControl, out isTargeted);

    /// <summary>The cookie that YARP's session affinity sets below the cache: it is this client's alone, and not the origin's.</summary>
    public static StringValues AffinityCookies(HttpContext context) => Cookies(context, isAffinity: true);

    private static StringValues OriginCookies(HttpContext context) => Cookies(context, isAffinity: false);

    private static StringValues Cookies(HttpContext context, bool isAffinity)
    {
        var cookies = context.Response.Headers.SetCookie;
        var affinity = context.Features.Get<IReverseProxyFeature>()?.Cluster.Config.SessionAffinity;
        if (cookies.Count == 0 || affinity is not { Enabled: true })
            return isAffinity ? StringValues.Empty : cookies;
        var start = affinity.AffinityKeyName + "=";
        return new StringValues([.. cookies.Where(cookie => cookie?.StartsWith(start, StringComparison.Ordinal) == isAffinity)]);
    }
}

/// <summary>When a fetch was made.</summary>
/// <param name="Request">When its request was sent.</param>
/// <param name="Response">When its response came.</param>
/// <param name="Stamp">What this node had applied of the change log before it began.</param>
internal readonly record struct FetchTimes(DateTimeOffset Request, DateTimeOffset Response, ChangeStamp Stamp);
