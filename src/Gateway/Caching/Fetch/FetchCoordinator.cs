using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Answers what the store could not: one of many simultaneous requests for a response leads and fetches it, the others
/// follow. First in this process, then among nodes. Nobody waits longer than the policy's <c>CollapseWaitLimit</c>, and
/// a follower is served only what the reuse rules accept for its own request.
/// </summary>
internal sealed class FetchCoordinator(RequestDelegate next, FetchServices services, FetchTable fetches, FetchLock fetchLock)
{
    /// <param name="candidate">Why the request goes to the origin, and the stored response to validate there.</param>
    public async Task AnswerAsync(CacheExchange exchange, FetchCandidate candidate)
    {
        if (!MayShare(exchange))
        {
            await FetchAsync(exchange, candidate, shared: null);
            return;
        }

        var started = services.Time.GetTimestamp();
        while (true)
        {
            var shared = fetches.JoinOrLead(exchange.PrimaryKey, exchange.TargetSelectors, out var isLeader);
            var remaining = exchange.Policy.Options.CollapseWaitLimit - services.Time.GetElapsedTime(started);
            if (isLeader)
            {
                await LeadAsync(exchange, candidate, shared, remaining);
                return;
            }

            switch (await FollowAsync(exchange, candidate, shared, remaining))
            {
                case Following.Served:
                    return;
                case Following.Alone:
                    await FetchAsync(exchange, candidate, shared: null);
                    return;
                case Following.Again:
                    break;
            }
        }
    }

    // Requests with credentials neither lead nor follow: RFC 9111 §3.5 is known at the response only. A request that
    // wants no stored response wants no other's either.
    private bool MayShare(CacheExchange exchange) =>
        exchange.Policy.Options.Collapse != CollapseScope.Off
        && !exchange.Request.IsAuthorized
        && !exchange.Request.CacheControl.NoCache
        && !exchange.Request.CacheControl.NoStore
        && !services.HitForMiss.Contains(exchange.PrimaryKey);

    private async Task<Following> FollowAsync(CacheExchange exchange, FetchCandidate candidate, SharedFetch fetch, TimeSpan limit)
    {
        if (limit <= TimeSpan.Zero)
            return Following.Alone;
        try
        {
            var (outcome, shared) = await fetch.Completion.WaitAsync(limit, services.Time, exchange.Context.RequestAborted);
            if (outcome == FetchOutcome.Failed)
                return Following.Again;
            if (shared is null || !Selects(exchange, shared))
                return Following.Alone;
            return await TryServeAsync(exchange, candidate, shared.Response) ? Following.Served : Following.Alone;
        }
        catch (TimeoutException)
        {
            return Following.Alone;
        }
    }

    private async Task LeadAsync(CacheExchange exchange, FetchCandidate candidate, SharedFetch shared, TimeSpan limit)
    {
        try
        {
            if (exchange.Policy.Options.Collapse == CollapseScope.Nodes && fetchLock.IsAvailable
                && services.OriginTimes.Reaches(exchange.RouteId, exchange.Policy.Options.LockThreshold))
            {
                await LeadAmongNodesAsync(exchange, candidate, shared, limit);
            }
            else
            {
                await FetchAsync(exchange, candidate, shared);
            }
        }
        finally
        {
            fetches.End(exchange.PrimaryKey, shared);
        }
    }

    private async Task LeadAmongNodesAsync(CacheExchange exchange, FetchCandidate candidate, SharedFetch shared, TimeSpan limit)
    {
        var entered = await fetchLock.EnterAsync(exchange.PrimaryKey, ReadAgainAsync, limit, exchange.Context.RequestAborted);
        if (entered.Found is { } found)
        {
            shared.Complete(FetchOutcome.Shareable, Share(exchange, found));
            if (await TryServeAsync(exchange, candidate, found))
                return;
        }

        await using var held = entered.Lock;
        var signalling = held?.FollowAsync(shared);
        await FetchAsync(exchange, candidate, shared);
        if (signalling is not null)
        {
            fetches.End(exchange.PrimaryKey, shared);
            await signalling;
        }

        async ValueTask<StoredResponse?> ReadAgainAsync()
        {
            var lookup = await services.Store.FindInRedisAsync(exchange.PrimaryKey, exchange.Context.Request.Headers, exchange.Context.RequestAborted);
            return lookup.Response is { } response && IsReusable(exchange, response, out _) ? response : null;
        }
    }

    private async Task FetchAsync(CacheExchange exchange, FetchCandidate candidate, SharedFetch? shared)
    {
        using var fetch = new OriginFetch(exchange, candidate.Stale, candidate.Reason, shared, services);
        if (await fetch.RunAsync(next) is not { } confirmed)
            return;
        var status = CacheStatus.Forwarded(
            candidate.Reason, StatusCodes.Status304NotModified, isStored: true, shared?.HasFollowers ?? false, CacheReason.Validated);
        await StoredResponseWriter.WriteAsync(exchange, confirmed, confirmed.CurrentAge(services.Clock.Now), status);
    }

    private async ValueTask<bool> TryServeAsync(CacheExchange exchange, FetchCandidate candidate, StoredResponse response)
    {
        if (!IsReusable(exchange, response, out var age))
            return false;
        var status = CacheStatus.Forwarded(candidate.Reason, response.Status, isStored: false, isCollapsed: true, CacheReason.None);
        await StoredResponseWriter.WriteAsync(exchange, response, age, status);
        return true;
    }

    private bool IsReusable(CacheExchange exchange, StoredResponse response, out long age)
    {
        var reuse = ReuseRules.Decide(exchange.Request, response, services.Clock.Now);
        age = reuse.Age;
        return reuse.IsAllowed && response.CheckAgainst(services.ChangeLog) == ChangeLog.ChangeVerdict.Current;
    }

    private static bool Selects(CacheExchange exchange, SharedResponse shared) =>
        Share(exchange, shared.Response).VariantKey == shared.VariantKey;

    private static SharedResponse Share(CacheExchange exchange, StoredResponse response) =>
        new(response, CacheKey.Variant(exchange.PrimaryKey, response.Vary, exchange.Context.Request.Headers));

    private enum Following
    {
        Served,
        Alone,
        Again,
    }
}

/// <summary>What a request brings to the origin.</summary>
/// <param name="Reason">Why it is forwarded.</param>
/// <param name="Stale">The stored response that the origin may confirm; null asks for the whole.</param>
internal readonly record struct FetchCandidate(CacheReason Reason, StoredResponse? Stale);
