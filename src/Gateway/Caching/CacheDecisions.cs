using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Caching;

/// <summary>What a request and what is stored for it come to: asked for each request, and to explain one. Changes nothing.</summary>
internal sealed class CacheDecisions(SharedChangeLog changeLog, RedisClock clock)
{
    // Under Serve, what may have been purged is not served for longer than this without asking the origin.
    private static readonly TimeSpan ServeUnknownFor = TimeSpan.FromMinutes(10);

    /// <summary>Why the cache has no part in a request; <see cref="CacheReason.None"/> where it has.</summary>
    public CacheReason BypassReason(HttpContext context, HttpCachePolicy policy)
    {
        var request = context.Request;
        // Exactly: methods have a case, and the server frames the answer to "head" as one with a body. RFC 9110 §9.1.
        if (request.Method is not ("GET" or "HEAD"))
            return CacheReason.Method;
        if (request.Headers.Upgrade.Count > 0)
            return CacheReason.Upgrade;
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
            return CacheReason.RequestBody;
        if (request.Headers.IfMatch.Count > 0 || request.Headers.IfUnmodifiedSince.Count > 0)
            return CacheReason.RequestPrecondition;
        if (!request.Host.HasValue || (request.Path.Value?.Length ?? 0) + (request.QueryString.Value?.Length ?? 0) > CacheKey.MaxTargetLength)
            return CacheReason.Target;
        if (policy.Options.Authorization == AuthorizationHandling.Bypass && CacheExchange.HasCredentials(context))
            return CacheReason.Authorization;
        return policy.Options.WhenChangesUnknown == WhenChangesUnknown.Bypass && !changeLog.HasLease
            ? CacheReason.ChangesUnknown
            : CacheReason.None;
    }

    /// <summary>
    /// Whether what was found may answer a request; with the stored response that may be validated or stand in, where there
    /// is one. After a soft purge that is another than was found: the same, stale from now on.
    /// </summary>
    public (Reuse Reuse, StoredResponse? Stored) Decide(CacheExchange exchange, Lookup lookup)
    {
        if (lookup.Response is not { } stored)
            return (new Reuse(false, lookup.HasVariants ? CacheReason.VariantNotStored : CacheReason.NotStored, 0), null);

        var verdict = stored.CheckAgainst(changeLog);
        if (verdict == ChangeVerdict.Stale)
            (stored, verdict) = Expire(stored);
        return verdict switch
        {
            ChangeVerdict.Changed => (new Reuse(false, CacheReason.Invalidated, 0), null),
            ChangeVerdict.Current when MayUseWithoutLease(exchange.Policy) =>
                (ReuseRules.Decide(exchange.Request, stored, exchange.Policy.Stale, clock.Now), stored),
            _ => (new Reuse(false, CacheReason.ChangesUnknown, 0), stored),
        };
    }

    /// <summary>Whether another copy could change a refusal: not where the request itself, or the origin's <c>no-cache</c>, demands validation.</summary>
    public static bool IsWorthAskingRedis(CacheReason reason) => reason is not (CacheReason.RequestNoCache or CacheReason.ResponseNoCache);

    private (StoredResponse Stored, ChangeVerdict Verdict) Expire(StoredResponse stored)
    {
        // The stamp first: every change that it covers is then looked at once more.
        var stamp = changeLog.Stamp;
        var verdict = changeLog.Check(stored.Stamp, stored.Selectors);
        return verdict == ChangeVerdict.Stale ? (stored.Expired(clock.Now, stamp), ChangeVerdict.Current) : (stored, verdict);
    }

    private bool MayUseWithoutLease(HttpCachePolicy policy) =>
        changeLog.HasLease
        || (policy.Options.WhenChangesUnknown == WhenChangesUnknown.Serve && changeLog.UnknownFor < ServeUnknownFor);
}
