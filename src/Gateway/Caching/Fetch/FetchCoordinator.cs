using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Answers what the store could not: one of many simultaneous requests for a response leads and fetches it, the others
/// follow, and read the body along as it comes. First in this process, then among nodes. A follower is served only what
/// the reuse rules accept for its own request; for another variant it joins those who want that one. A fetch that hangs
/// for the policy's <c>CollapseWaitLimit</c> gets a second one beside it, made by one of those who wait.
/// </summary>
internal sealed class FetchCoordinator(RequestDelegate next, FetchServices services, FetchTable fetches, FetchLock fetchLock)
{
    /// <summary>How many fetches of one response a request waits for, each for the policy's <c>CollapseWaitLimit</c>, before it makes its own.</summary>
    public const int MaxTurns = 10;

    // A fetch that failed may have failed by its own request's fault; twice, and each request tries for itself.
    private const int MaxFailures = 2;

    /// <param name="candidate">Why the request goes to the origin, and the stored response to validate there.</param>
    public async Task AnswerAsync(CacheExchange exchange, FetchCandidate candidate)
    {
        if (exchange.Policy.Options.ClientDirectives == ClientDirectives.Collapse)
            exchange.SatisfiedSince = services.Clock.Now;
        if (!MayShare(exchange) || !await TryAnswerWithOthersAsync(exchange, candidate))
            await FetchAsync(exchange, candidate, shared: null);
    }

    /// <summary>Refreshes a stale response that has been used already, unless somebody is at it.</summary>
    /// <param name="exchange">A request of the cache's own, whose response nobody reads.</param>
    /// <param name="stale">The response that was used.</param>
    public async Task RefreshAsync(CacheExchange exchange, StoredResponse stale)
    {
        if (fetches.TryLead(exchange.PrimaryKey) is not { } shared)
            return;
        // Until it is known to have succeeded: nobody begins another between its end and what came of it.
        services.FailedRefreshes.Add(exchange.PrimaryKey);
        try
        {
            // Another node may have refreshed it: its copy is taken, and kept in memory, instead.
            await services.Store.FindInRedisAsync(exchange.PrimaryKey, exchange.SelectingFields, exchange.Context.RequestAborted);
            await LeadAsync(exchange, new FetchCandidate(CacheReason.Stale, stale), exchange.PrimaryKey, shared);
        }
        finally
        {
            // With one client's credentials nothing may come back that others can use: that is no failure of theirs. RFC 9111 §3.5.
            if (exchange.Request.IsAuthorized || FindNewer(exchange, stale) is not null)
                services.FailedRefreshes.Remove(exchange.PrimaryKey);
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

    private async Task<bool> TryAnswerWithOthersAsync(CacheExchange exchange, FetchCandidate candidate)
    {
        var (key, turns, failures) = (exchange.PrimaryKey, 0, 0);
        SharedFetch? hung = null;
        while (turns < MaxTurns && failures < MaxFailures)
        {
            var shared = fetches.JoinOrLead(key, exchange, hung, out var isLeader);
            if (isLeader)
            {
                await LeadAsync(exchange, candidate, key, shared);
                return true;
            }

            var followed = await FollowAsync(exchange, candidate, key, shared);
            switch (followed.Fate)
            {
                case FollowerFate.Served:
                    return true;
                case FollowerFate.Refused:
                    await RefuseAsync(exchange.Context);
                    return true;
                case FollowerFate.Alone:
                    return false;
                case FollowerFate.OtherVariant:
                    key = followed.VariantKey!;
                    break;
                case FollowerFate.Failed:
                    failures++;
                    break;
                case FollowerFate.Hung:
                    turns++;
                    hung = shared;
                    break;
                case FollowerFate.Changed:
                    turns++;
                    break;
            }
        }

        return false;
    }

    private async Task<Followed> FollowAsync(CacheExchange exchange, FetchCandidate candidate, string key, SharedFetch fetch)
    {
        if (!services.Waiting.TryEnter())
        {
            fetch.Leave();
            return new Followed(FollowerFate.Refused);
        }

        var isWaiting = true;
        try
        {
            if (await WaitAsync(fetch, exchange.Policy.Options.CollapseWaitLimit, exchange.Context.RequestAborted) is not { } result)
                return new Followed(FollowerFate.Hung);
            if (result.Response is { Body: not null, Fetch: { } source } && StreamedResponse.NeedsWhole(exchange))
                result = await source.Completion.WaitAsync(exchange.Context.RequestAborted);
            isWaiting = false;
            services.Waiting.Leave();
            if (result.Outcome == FetchOutcome.Failed)
                return new Followed(await TryServeStaleAsync(exchange, candidate, fetch.Failure) ? FollowerFate.Served : FollowerFate.Failed);
            if (result.Response is not { } shared)
                return new Followed(FollowerFate.Alone);
            var own = Share(exchange, shared.Response).VariantKey;
            if (own != shared.VariantKey)
                return own == key ? new Followed(FollowerFate.Alone) : new Followed(FollowerFate.OtherVariant, own);
            return new Followed(await ServeAsync(exchange, candidate, shared));
        }
        finally
        {
            if (isWaiting)
                services.Waiting.Leave();
            fetch.Leave();
        }
    }

    // Let through, the crowd would reach the origin that it waits for.
    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "1";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Append(CacheStatus.FieldName, $"Gateway; detail={CacheStatus.NameOf(CacheReason.TooManyWaiting)}");
        return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, detail: "Too many requests wait for responses that are being fetched.")
            .ExecuteAsync(context);
    }

    // Counted from when the origin was asked: before, the fetch waits for other nodes, and sees itself to that it does not hang.
    private async Task<FetchResult?> WaitAsync(SharedFetch fetch, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = services.Time.GetTimestamp();
        for (var turns = 0; turns < MaxTurns; turns++)
        {
            var waited = services.Time.GetElapsedTime(started);
            var left = fetch.Asked is { } asked ? limit - (asked < waited ? asked : waited) : limit;
            if (left <= TimeSpan.Zero)
                return null;
            try
            {
                return await fetch.Answered.WaitAsync(left, services.Time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // It hangs, unless it asked the origin only lately.
            }
        }

        return null;
    }

    private async Task<FollowerFate> ServeAsync(CacheExchange exchange, FetchCandidate candidate, SharedResponse shared)
    {
        // Purged, softly or not, or of another epoch of the log: one of those who waited fetches anew for all.
        if (shared.Response.CheckAgainst(services.ChangeLog) != ChangeLog.ChangeVerdict.Current)
            return FollowerFate.Changed;
        if (!IsReusable(exchange, shared.Response, out var age))
            return FollowerFate.Alone;
        using var reader = shared.Body?.TryJoin(isOwn: false, exchange.Context.Abort);
        if (reader is not null)
        {
            await StreamedResponse.WriteAsync(exchange, shared, reader, age, StatusOf(candidate, shared.Response));
            return FollowerFate.Served;
        }

        if (shared.Body is not null)
        {
            // Its beginning is gone: it is whole and stored by now, or too large to be.
            if (shared.Fetch is not { Completion.IsCompleted: true } source || (await source.Completion).Response is not { } whole)
                return FollowerFate.Alone;
            shared = whole;
        }

        await StoredResponseWriter.WriteAsync(exchange, shared.Response, age, StatusOf(candidate, shared.Response));
        return FollowerFate.Served;
    }

    private static string StatusOf(FetchCandidate candidate, StoredResponse response) =>
        CacheStatus.Forwarded(candidate.Reason, response.Status, isStored: false, isCollapsed: true, CacheReason.None);

    private async Task LeadAsync(CacheExchange exchange, FetchCandidate candidate, string key, SharedFetch shared)
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
                await LeadAmongNodesAsync(exchange, candidate, key, shared);
            }
            else
            {
                await FetchAsync(exchange, candidate, shared);
            }
        }
        finally
        {
            fetches.End(key, shared);
        }
    }

    private async Task LeadAmongNodesAsync(CacheExchange exchange, FetchCandidate candidate, string key, SharedFetch shared)
    {
        var entered = await EnterAsync(key);
        if (entered.VariantKey is { } variantKey)
            entered = await EnterAsync(variantKey);
        if (entered.Found is { } found)
        {
            shared.Complete(FetchOutcome.Shareable, Share(exchange, found));
            if (await TryServeAsync(exchange, candidate, found))
                return;
        }

        // Those who wait here wait for what nobody can share: they are let go with their leader, not after it.
        if (entered.IsNotShareable)
            shared.Complete(FetchOutcome.NotShareable);
        await using var held = entered.Lock;
        shared.IsAmongNodes = held is not null;
        var signalling = held?.FollowAsync(shared);
        await FetchAsync(exchange, candidate, shared);
        if (signalling is not null)
        {
            fetches.End(key, shared);
            await signalling;
        }

        Task<NodeFetch> EnterAsync(string key) => fetchLock.EnterAsync(
            services.LockKey(exchange, key), ReadAgainAsync, exchange.VariantKey,
            exchange.Policy.Options.CollapseWaitLimit, exchange.Context.RequestAborted);

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
        var detail = answer.Refusal == CacheReason.None ? answer.Reason : answer.Refusal;
        var status = CacheStatus.Forwarded(candidate.Reason, answer.Status, answer.IsStored, isCollapsed: shared?.HasFollowers ?? false, detail);
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
        await StoredResponseWriter.WriteAsync(exchange, response, age, StatusOf(candidate, response));
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

    private static SharedResponse Share(CacheExchange exchange, StoredResponse response) =>
        new(response, exchange.PrimaryKey, exchange.VariantSuffix(response.Vary));

    private enum FollowerFate
    {
        /// <summary>Answered.</summary>
        Served,

        /// <summary>Too many wait already.</summary>
        Refused,

        /// <summary>The response is not for this request: it makes its own.</summary>
        Alone,

        /// <summary>Another variant: it joins those who want the same one.</summary>
        OtherVariant,

        /// <summary>The fetch failed: one of those who waited takes it over.</summary>
        Failed,

        /// <summary>The fetch is not answered: one of those who wait makes another.</summary>
        Hung,

        /// <summary>What was fetched has been purged meanwhile, or may have been: one of those who waited fetches anew.</summary>
        Changed,
    }

    private readonly record struct Followed(FollowerFate Fate, string? VariantKey = null);
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

    /// <summary>
    /// How the origin failed, where <see cref="Replacement"/> answers for it; else <see cref="CacheReason.None"/>. Where it
    /// cannot be reached and what is stored may not be used, the status becomes 504: RFC 9111 §5.2.2.2.
    /// </summary>
    public CacheReason ReplacedFailure(CacheExchange exchange, DateTimeOffset now)
    {
        var response = exchange.Context.Response;
        var isUnreachable = ResponseReader.HasForwarderError(exchange.Context);
        var failure = ReuseRules.FailureOf(response.StatusCode, isUnreachable);
        if (failure == CacheReason.None || Replacement is not { } stale)
            return CacheReason.None;
        if (ReuseRules.MayReplaceFailure(exchange.Request, stale, failure, exchange.Policy.Stale, now))
            return failure;
        if (isUnreachable)
            response.StatusCode = StatusCodes.Status504GatewayTimeout;
        return CacheReason.None;
    }
}
