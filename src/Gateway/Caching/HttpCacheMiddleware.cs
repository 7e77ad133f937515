using Gateway.Caching.Fetch;
using Gateway.Caching.Invalidation;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

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
    RequestDelegate next, HttpCachePolicies policies, CacheDecisions decisions, FetchServices services, FetchTable fetches, FetchLock fetchLock,
    UnsafeMethodInvalidation invalidation, HttpCacheMetrics metrics, IServiceScopeFactory scopes, ILogger<HttpCacheMiddleware> logger)
{
    private readonly FetchCoordinator _coordinator = new(next, services, fetches, fetchLock);
    private readonly HeadForward _head = new(next, services);
    private readonly PostForward _post = new(next, services, invalidation);
    private readonly BackgroundRefresh _refresh = new(next, services, fetches, fetchLock, scopes, logger);

    public Task InvokeAsync(HttpContext context)
    {
        if (policies.Find(context.GetEndpoint()) is not { } policy)
            return next(context);

        if (policy.Options.StripTagField)
            HideTags(context.Response, policy.Options.TagField);

        // 1.
        var bypass = decisions.BypassReason(context, policy);
        if (bypass == CacheReason.None)
        {
            policy.ReduceQuery(context.Request);
            return AnswerAsync(new CacheExchange(context, policy));
        }

        return bypass == CacheReason.Method && UnsafeMethodInvalidation.IsUnsafe(context.Request.Method)
            ? ForwardUnsafeAsync(new CacheExchange(context, policy))
            : ForwardAsync(context, bypass);
    }

    private Task AnswerAsync(CacheExchange exchange)
    {
        // 2 and 3, in this process: a hit waits for nothing.
        var decision = Decide(exchange, exchange.FindInMemory(services.Store));
        if (!decision.Reuse.IsAllowed)
            return AnswerWithOthersAsync(exchange, decision);
        metrics.Decided(decision.Reuse);
        return ServeAsync(exchange, decision);
    }

    private async Task AnswerWithOthersAsync(CacheExchange exchange, (Reuse Reuse, StoredResponse? Stored) decision)
    {
        if (IsWorthAskingRedis(exchange, decision.Reuse.Reason))
        {
            // 2 and 3, among all nodes: another may have fetched or revalidated it since.
            var shared = await services.Store.FindInRedisAsync(exchange.PrimaryKey, exchange.SelectingFields, exchange.Context.RequestAborted);
            if (shared.Response is not null || shared.HasVariants)
                decision = Decide(exchange, shared);
        }

        metrics.Decided(decision.Reuse);
        var candidate = new FetchCandidate(decision.Reuse.Reason, decision.Stored);
        if (decision.Reuse.IsAllowed)
            await ServeAsync(exchange, decision);
        else if (exchange.Request.CacheControl.OnlyIfCached)
            await RefuseToForwardAsync(exchange.Context);
        else if (HttpMethods.IsHead(exchange.Context.Request.Method))
            await _head.AnswerAsync(exchange, candidate);
        else if (exchange.Request.Range is not null && candidate.Stored is null)
            await ForwardAsync(exchange.Context, CacheReason.RequestRange);
        else
            await _coordinator.AnswerAsync(exchange, candidate);
    }

    private (Reuse Reuse, StoredResponse? Stored) Decide(CacheExchange exchange, Lookup lookup)
    {
        var decision = decisions.Decide(exchange, lookup);
        if (decision.Reuse.Reason == CacheReason.Invalidated)
            services.Store.RemoveFromMemory(exchange.PrimaryKey, lookup.Response!);
        else if (decision.Stored is { } stored && !ReferenceEquals(stored, lookup.Response))
            services.Store.ReplaceInMemory(exchange.PrimaryKey, lookup.Response!, stored);
        return decision;
    }

    // What could not be stored a moment ago is looked for again when that is forgotten.
    private bool IsWorthAskingRedis(CacheExchange exchange, CacheReason reason) =>
        CacheDecisions.IsWorthAskingRedis(reason) && !(reason == CacheReason.NotStored && services.HitForMiss.Contains(exchange.PrimaryKey));

    private Task ServeAsync(CacheExchange exchange, (Reuse Reuse, StoredResponse? Stored) decision)
    {
        var stored = decision.Stored!;
        if (decision.Reuse.Reason == CacheReason.StaleWhileRevalidate)
            _refresh.Start(exchange, stored);
        var (_, reason, age) = decision.Reuse;
        return StoredResponseWriter.WriteAsync(exchange, stored, age, HitTexts.Status(stored.FreshnessLifetime - age, reason));
    }

    // RFC 9111 §5.2.1.7.
    private static Task RefuseToForwardAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Append(CacheStatus.FieldName, $"Gateway; detail={CacheStatus.NameOf(CacheReason.OnlyIfCached)}");
        return TypedResults.Problem(statusCode: StatusCodes.Status504GatewayTimeout, detail: "Nothing that is stored answers the request, and it allows nothing else.")
            .ExecuteAsync(context);
    }

    // At the last moment: until then they are read, and stored with the other fields.
    private static void HideTags(HttpResponse response, string field) => response.OnStarting(
        static state =>
        {
            var (response, field) = ((HttpResponse, string))state;
            response.Headers.Remove(field);
            return Task.CompletedTask;
        },
        (response, field));

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
