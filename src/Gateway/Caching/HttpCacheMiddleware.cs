using Gateway.Caching.Fetch;
using Gateway.Caching.Invalidation;
using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;

namespace Gateway.Caching;

/// <summary>
/// The shared HTTP cache. A request goes through it in a straight line:
/// (1) what the cache never answers is forwarded, and an unsafe method invalidates;
/// (2) the stored response is looked up, in memory, then in Redis;
/// (3) the reuse rules and the change log decide whether it answers the request;
/// (4) what the store cannot answer is fetched, together with others who want the same.
/// Each outcome has a <see cref="CacheReason"/>, which the client sees in <c>Cache-Status</c>.
/// </summary>
internal sealed class HttpCacheMiddleware(
    RequestDelegate next, HttpCachePolicies policies, FetchServices services, FetchTable fetches, FetchLock fetchLock,
    UnsafeMethodInvalidation invalidation, HttpCacheMetrics metrics, IServiceScopeFactory scopes, ILogger<HttpCacheMiddleware> logger)
{
    // Under Serve, what may have been purged is not served for longer than this without asking the origin.
    private static readonly TimeSpan ServeUnknownFor = TimeSpan.FromMinutes(10);

    private readonly FetchCoordinator _coordinator = new(next, services, fetches, fetchLock);
    private readonly HeadForward _head = new(next, services);
    private readonly PostForward _post = new(next, services, invalidation);
    private readonly BackgroundRefresh _refresh = new(next, services, fetches, fetchLock, scopes, logger);

    public Task InvokeAsync(HttpContext context)
    {
        if (policies.Find(context.GetEndpoint()) is not { } policy)
            return next(context);

        // 1.
        var bypass = BypassReason(context, policy);
        if (bypass == CacheReason.None)
            return AnswerAsync(new CacheExchange(context, policy));
        return bypass == CacheReason.Method && UnsafeMethodInvalidation.IsUnsafe(context.Request.Method)
            ? ForwardUnsafeAsync(new CacheExchange(context, policy))
            : ForwardAsync(context, bypass);
    }

    private CacheReason BypassReason(HttpContext context, HttpCachePolicy policy)
    {
        var request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            return CacheReason.Method;
        if (request.Headers.Upgrade.Count > 0)
            return CacheReason.Upgrade;
        if (request.Headers.IfMatch.Count > 0 || request.Headers.IfUnmodifiedSince.Count > 0)
            return CacheReason.RequestPrecondition;
        if (!request.Host.HasValue || (request.Path.Value?.Length ?? 0) + (request.QueryString.Value?.Length ?? 0) > CacheKey.MaxTargetLength)
            return CacheReason.Target;
        return policy.Options.WhenChangesUnknown == WhenChangesUnknown.Bypass && !services.ChangeLog.HasLease
            ? CacheReason.ChangesUnknown
            : CacheReason.None;
    }

    private async Task AnswerAsync(CacheExchange exchange)
    {
        // 2 and 3, in this process.
        var fields = exchange.SelectingFields;
        var lookup = services.Store.FindInMemory(exchange.PrimaryKey, fields);
        var decision = Decide(exchange, lookup);
        if (!decision.Reuse.IsAllowed && IsWorthAskingRedis(decision.Reuse.Reason))
        {
            // 2 and 3, among all nodes: another may have fetched or revalidated it since.
            var shared = await services.Store.FindInRedisAsync(exchange.PrimaryKey, fields, exchange.Context.RequestAborted);
            if (shared.Response is not null || shared.HasVariants)
                decision = Decide(exchange, shared);
        }

        metrics.Decided(decision.Reuse);
        var candidate = new FetchCandidate(decision.Reuse.Reason, decision.Stored);
        if (decision.Reuse.IsAllowed)
            await ServeAsync(exchange, decision);
        else if (exchange.Request.CacheControl.OnlyIfCached)
            RefuseToForward(exchange.Context.Response);
        else if (HttpMethods.IsHead(exchange.Context.Request.Method))
            await _head.AnswerAsync(exchange, candidate);
        else if (exchange.Request.Range is not null && candidate.Validatable is null)
            await ForwardAsync(exchange.Context, CacheReason.RequestRange);
        else
            await _coordinator.AnswerAsync(exchange, candidate);
    }

    private (Reuse Reuse, StoredResponse? Stored) Decide(CacheExchange exchange, Lookup lookup)
    {
        if (lookup.Response is not { } stored)
            return (new Reuse(false, lookup.HasVariants ? CacheReason.VariantNotStored : CacheReason.NotStored, 0), null);

        switch (stored.CheckAgainst(services.ChangeLog))
        {
            case ChangeVerdict.Changed:
                services.Store.RemoveFromMemory(exchange.PrimaryKey, exchange.SelectingFields, stored);
                return (new Reuse(false, CacheReason.Invalidated, 0), null);
            case ChangeVerdict.Stale:
                return Decide(exchange, lookup with { Response = services.Expire(exchange, stored) });
            case ChangeVerdict.Unknown:
                return (new Reuse(false, CacheReason.ChangesUnknown, 0), stored);
            default:
                return MayUseWithoutLease(exchange.Policy)
                    ? (ReuseRules.Decide(exchange.Request, stored, exchange.Policy.Stale, services.Clock.Now), stored)
                    : (new Reuse(false, CacheReason.ChangesUnknown, 0), stored);
        }
    }

    private bool MayUseWithoutLease(HttpCachePolicy policy) =>
        services.ChangeLog.HasLease
        || (policy.Options.WhenChangesUnknown == WhenChangesUnknown.Serve && services.ChangeLog.UnknownFor < ServeUnknownFor);

    // Where the request itself, or the origin's no-cache, demands validation, no other copy changes that.
    private static bool IsWorthAskingRedis(CacheReason reason) => reason is not (CacheReason.RequestNoCache or CacheReason.ResponseNoCache);

    private Task ServeAsync(CacheExchange exchange, (Reuse Reuse, StoredResponse? Stored) decision)
    {
        var stored = decision.Stored!;
        if (decision.Reuse.Reason == CacheReason.StaleWhileRevalidate)
            _refresh.Start(exchange, stored);
        var status = CacheStatus.Hit(stored.FreshnessLifetime - decision.Reuse.Age, decision.Reuse.Reason);
        return StoredResponseWriter.WriteAsync(exchange, stored, decision.Reuse.Age, status);
    }

    // RFC 9111 §5.2.1.7.
    private static void RefuseToForward(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status504GatewayTimeout;
        response.Headers.CacheControl = "no-store";
        response.Headers.Append(CacheStatus.FieldName, $"Gateway; detail={CacheStatus.NameOf(CacheReason.OnlyIfCached)}");
    }

    private Task ForwardUnsafeAsync(CacheExchange exchange)
    {
        if (HttpMethods.IsPost(exchange.Context.Request.Method))
            return _post.AnswerAsync(exchange);
        invalidation.Register(exchange);
        return ForwardAsync(exchange.Context, CacheReason.Method);
    }

    private Task ForwardAsync(HttpContext context, CacheReason reason)
    {
        context.Response.OnStarting(
            static state =>
            {
                var (response, reason) = ((HttpResponse, CacheReason))state;
                response.Headers.Append(CacheStatus.FieldName, CacheStatus.Forwarded(reason, response.StatusCode, false, false, CacheReason.None));
                return Task.CompletedTask;
            },
            (context.Response, reason));
        return next(context);
    }
}
