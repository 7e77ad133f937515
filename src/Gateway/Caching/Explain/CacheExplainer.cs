using Gateway.Caching.Fetch;
using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching.Explain;

/// <summary>
/// Explains what the cache would do with a request, by the same look-ups and decisions as <see cref="HttpCacheMiddleware"/>,
/// and stops where that would answer or forward. It stores nothing and asks no origin.
/// </summary>
internal sealed class CacheExplainer(
    HttpCachePolicies policies, CacheDecisions decisions, FetchServices services, FetchTable fetches, FetchLock fetchLock)
{
    /// <param name="context">A request that has been routed and authenticated.</param>
    public async Task<CacheExplanation> ExplainAsync(HttpContext context)
    {
        var route = context.GetEndpoint()?.DisplayName;
        if (policies.Find(context.GetEndpoint()) is not { } policy)
        {
            var reason = route is null ? "No route matches." : "The route names no OutputCachePolicy.";
            return new CacheExplanation { Outcome = "not-cached", Reason = reason, Route = route };
        }

        var bypass = decisions.BypassReason(context, policy);
        if (bypass != CacheReason.None)
            return new CacheExplanation { Outcome = "forward", Reason = CacheStatus.NameOf(bypass), Route = route, Policy = policy.Name };

        policy.ReduceQuery(context.Request);
        return await ExplainAsync(new CacheExchange(context, policy));
    }

    private async Task<CacheExplanation> ExplainAsync(CacheExchange exchange)
    {
        var cancellationToken = exchange.Context.RequestAborted;
        var memory = exchange.FindInMemory(services.Store);
        var redis = await services.Store.PeekInRedisAsync(exchange.PrimaryKey, exchange.SelectingFields, cancellationToken);

        var (tier, lookup) = ("memory", memory);
        var decision = decisions.Decide(exchange, memory);
        if (!decision.Reuse.IsAllowed && CacheDecisions.IsWorthAskingRedis(decision.Reuse.Reason) && (redis.Response is not null || redis.HasVariants))
        {
            (tier, lookup) = ("redis", redis);
            decision = decisions.Decide(exchange, redis);
        }

        var (outcome, reason) = OutcomeOf(exchange, decision);
        var stamp = services.ChangeLog.Stamp;
        return new CacheExplanation
        {
            Outcome = outcome,
            Reason = CacheStatus.NameOf(reason),
            Route = exchange.RouteId,
            Policy = exchange.Policy.Name,
            Url = CacheKey.Url(exchange.Context.Request),
            Key = CacheKey.Hash(exchange.PrimaryKey),
            IsAuthorized = exchange.Request.IsAuthorized,
            Tier = lookup.Response is null ? null : tier,
            Memory = Describe(exchange, memory),
            Redis = Describe(exchange, redis),
            Variants = Describe(exchange, memory.Index ?? redis.Index),
            Fetch = new ExplainedFetch(
                fetches.Contains(exchange.PrimaryKey),
                await fetchLock.IsHeldAsync(services.LockKey(exchange, exchange.PrimaryKey), cancellationToken),
                services.HitForMiss.Contains(exchange.PrimaryKey)),
            Changes = new ExplainedChanges(services.ChangeLog.HasLease, stamp.Epoch, stamp.Number),
        };
    }

    private static (string Outcome, CacheReason Reason) OutcomeOf(CacheExchange exchange, (Reuse Reuse, StoredResponse? Stored) decision)
    {
        var (reuse, stored) = decision;
        if (reuse.IsAllowed)
            return ("serve", reuse.Reason);
        if (exchange.Request.CacheControl.OnlyIfCached)
            return ("refuse", CacheReason.OnlyIfCached);
        if (HttpMethods.IsGet(exchange.Context.Request.Method) && stored is { HasValidator: true })
            return ("revalidate", reuse.Reason);
        return ("forward", exchange.Request.Range is null ? reuse.Reason : CacheReason.RequestRange);
    }

    private ExplainedResponse? Describe(CacheExchange exchange, Lookup lookup)
    {
        if (lookup.Response is not { } stored)
            return null;
        var (reuse, _) = decisions.Decide(exchange, lookup);
        var age = stored.CurrentAge(services.Clock.Now);
        return new ExplainedResponse(
            CacheKey.Hash(exchange.VariantKey(stored.Vary)),
            CacheStatus.NameOf(reuse.Reason), reuse.IsAllowed, stored.Status,
            age, stored.FreshnessLifetime, stored.FreshnessLifetime - age, stored.ResponseTime, stored.Body.Length,
            stored.ETag, stored.LastModified, stored.Vary.Names, TagsOf(stored),
            stored.CheckAgainst(services.ChangeLog).ToString().ToLowerInvariant(), stored.Stamp.Number);
    }

    private static ExplainedVariants? Describe(CacheExchange exchange, VaryIndex? index) => index is null
        ? null
        : new([.. index.Rules.Select(rule => rule.Names)], [.. index.Variants.Select(variant => CacheKey.Hash(exchange.PrimaryKey + variant.Suffix))]);

    private static List<string> TagsOf(StoredResponse stored)
    {
        var tags = new List<string>();
        foreach (var selector in stored.Selectors)
        {
            if (selector.TryGetValue("tag", out var tag))
                tags.Add(tag.ToString());
        }

        return tags;
    }
}
