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
    /// <summary>How many fetches of one response a request waits for, each for the policy's <c>CollapseWaitLimit</c>, before it makes its own.</summary>
    public const int MaxTurns = 10;

    /// <param name="candidate">Why the request goes to the origin, and the stored response to validate there.</param>
    public async Task AnswerAsync(CacheExchange exchange, FetchCandidate candidate)
    {
        if (!MayShare(exchange))
        {
            await FetchAsync(exchange, candidate, shared: null);
            return;
        }

        if (exchange.Policy.Options.ClientDirectives == ClientDirectives.Collapse)
            exchange.SatisfiedSince = services.Clock.Now;
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

    /// <summary>Refreshes a stale response that has been used already, unless somebody is at it.</summary>
    /// <param name="exchange">A request of the cache's own, whose response nobody reads.</param>
    /// <param name="stale">The response that was used.</param>
    /// <returns>Whether there is a newer one now.</returns>
    public async Task<bool> RefreshAsync(CacheExchange exchange, StoredResponse stale)
    {
        if (fetches.TryLead(exchange.PrimaryKey) is not { } shared)
            return true;
        try
        {
            // Another node may have refreshed it: its copy is taken, and kept in memory, instead.
            await services.Store.FindInRedisAsync(exchange.PrimaryKey, exchange.SelectingFields, exchange.Context.RequestAborted);
            await LeadAsync(exchange, new FetchCandidate(CacheReason.Stale, stale), shared, exchange.Policy.Options.CollapseWaitLimit);
            return FindNewer(exchange, stale) is not null;
        }
        finally
        {
            fetches.End(exchange.PrimaryKey, shared);
        }
    }

    // Requests with credentials neither lead nor follow: RFC 9111 §3.5 is known at the response only. A request that
    // wants no stored response wants no other's either, unless the policy collapses what clients demand.
    private bool MayShare(CacheExchange exchange) =>
        exchange.Policy.Options.Collapse != CollapseScope.Off
        && !exchange.Request.IsAuthorized
        && (!exchange.Request.CacheControl.NoCache || exchange.Policy.Options.ClientDirectives == ClientDirectives.Collapse)
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
                return await TryServeStaleAsync(exchange, candidate, fetch.Failure) ? Following.Served : Following.Again;
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
            // Another's fetch may have ended between this request's look-up and its lead.
            if (FindNewer(exchange, candidate.Stored) is { } found)
            {
                shared.Complete(FetchOutcome.Shareable, Share(exchange, found));
                if (await TryServeAsync(exchange, candidate, found))
                    return;
            }

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
            var lookup = await services.Store.FindInRedisAsync(exchange.PrimaryKey, exchange.SelectingFields, exchange.Context.RequestAborted);
            return lookup.Response is { } response && IsReusable(exchange, response, out _) ? response : null;
        }
    }

    private async Task FetchAsync(CacheExchange exchange, FetchCandidate candidate, SharedFetch? shared)
    {
        using var fetch = new OriginFetch(exchange, candidate, shared, services);
        var answer = await fetch.RunAsync(next);
        if (answer.Reason == CacheReason.None)
            return;
        var isValidated = answer.Reason == CacheReason.Validated;
        var status = CacheStatus.Forwarded(
            candidate.Reason, answer.Status, isStored: isValidated, isCollapsed: shared?.HasFollowers ?? false, answer.Reason);
        await StoredResponseWriter.WriteAsync(exchange, answer.Response, answer.Response.CurrentAge(services.Clock.Now), status);
    }

    private async ValueTask<bool> TryServeStaleAsync(CacheExchange exchange, FetchCandidate candidate, CacheReason failure)
    {
        var now = services.Clock.Now;
        if (failure == CacheReason.None || candidate.Replacement is not { } stale
            || !ReuseRules.MayReplaceFailure(exchange.Request, stale, failure, exchange.Policy.Stale, now))
        {
            return false;
        }

        var status = CacheStatus.Forwarded(candidate.Reason, status: null, isStored: false, isCollapsed: true, failure);
        await StoredResponseWriter.WriteAsync(exchange, stale, stale.CurrentAge(now), status);
        return true;
    }

    private async ValueTask<bool> TryServeAsync(CacheExchange exchange, FetchCandidate candidate, StoredResponse response)
    {
        if (!IsReusable(exchange, response, out var age))
            return false;
        var status = CacheStatus.Forwarded(candidate.Reason, response.Status, isStored: false, isCollapsed: true, CacheReason.None);
        await StoredResponseWriter.WriteAsync(exchange, response, age, status);
        return true;
    }

    // Only what is fresh, or as stale as the client accepts: another's stale response is no answer to a fetch.
    private bool IsReusable(CacheExchange exchange, StoredResponse response, out long age)
    {
        var reuse = ReuseRules.Decide(exchange.DemandsOn(response), response, exchange.Policy.Stale, services.Clock.Now);
        age = reuse.Age;
        return reuse.IsAllowed && reuse.Reason != CacheReason.StaleWhileRevalidate
            && response.CheckAgainst(services.ChangeLog) == ChangeLog.ChangeVerdict.Current;
    }

    private StoredResponse? FindNewer(CacheExchange exchange, StoredResponse? known)
    {
        var found = exchange.FindInMemory(services.Store).Response;
        return found is not null && !ReferenceEquals(found, known) && IsReusable(exchange, found, out _) ? found : null;
    }

    private static bool Selects(CacheExchange exchange, SharedResponse shared) =>
        Share(exchange, shared.Response).VariantKey == shared.VariantKey;

    private static SharedResponse Share(CacheExchange exchange, StoredResponse response) =>
        new(response, CacheKey.Variant(exchange.PrimaryKey, response.Vary, exchange.SelectingFields));

    private enum Following
    {
        Served,
        Alone,
        Again,
    }
}

/// <summary>What a request brings to the origin.</summary>
/// <param name="Reason">Why it is forwarded.</param>
/// <param name="Stored">The stored response that its fields select, if there is one.</param>
internal readonly record struct FetchCandidate(CacheReason Reason, StoredResponse? Stored)
{
    /// <summary>The stored response that the origin may confirm; null asks for the whole.</summary>
    public StoredResponse? Validatable => Stored is { HasValidator: true } ? Stored : null;

    /// <summary>The stored response that may stand in when the origin fails: none that may have been purged.</summary>
    public StoredResponse? Replacement => Reason == CacheReason.ChangesUnknown ? null : Stored;
}
