using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Forwards a HEAD that the store cannot answer. A 200 says something of the stored response to GET: it is brought up
/// to date, or is stale from now on. RFC 9111 §4.3.5. Where the origin fails, the stored response may stand in.
/// </summary>
internal sealed class HeadForward(RequestDelegate next, FetchServices services)
{
    /// <param name="candidate">Why it is forwarded, and the stored response to GET.</param>
    public async Task AnswerAsync(CacheExchange exchange, FetchCandidate candidate)
    {
        var context = exchange.Context;
        var ownFields = ResponseReader.OwnFields(context.Response);
        var times = new FetchTimes(services.Clock.Now, default, services.ChangeLog.Stamp);
        OverridingFields.Remove(context.Request, exchange.Policy.Options.VaryByHeader);
        var isReplaced = false;
        context.Response.OnStarting(async () =>
        {
            if (isReplaced || await TryReplaceFailureAsync(exchange, ownFields, candidate))
                return;
            times = times with { Response = services.Clock.Now };
            var update = default(StoredUpdate);
            if (candidate.Replacement is { } stored && context.Response.StatusCode == StatusCodes.Status200OK && !ResponseReader.HasForwarderError(context))
                update = Update(exchange, ownFields, stored, times);
            var status = CacheStatus.Forwarded(candidate.Reason, context.Response.StatusCode, update.IsConfirmed, false, update.Refusal);
            context.Response.Headers.Append(CacheStatus.FieldName, status);
            // Before the client knows, so that its next request meets the update.
            if (update.Response is { } updated)
                await StoreAsync(exchange, updated);
        });
        await next(context);
        // Before somebody describes the failure in a body.
        isReplaced = !context.Response.HasStarted && await TryReplaceFailureAsync(exchange, ownFields, candidate);
    }

    // As for GET: RFC 9111 §4.2.4, RFC 5861 §4.
    private async ValueTask<bool> TryReplaceFailureAsync(CacheExchange exchange, HashSet<string> ownFields, FetchCandidate candidate)
    {
        var (context, now) = (exchange.Context, services.Clock.Now);
        var failure = candidate.ReplacedFailure(exchange, now);
        if (failure == CacheReason.None)
            return false;
        int? answered = failure == CacheReason.Disconnected ? null : context.Response.StatusCode;
        StoredResponseWriter.Reset(context, ownFields, exchange.Policy.Options.SetCookie);
        var (stale, status) = (candidate.Replacement!, CacheStatus.Forwarded(candidate.Reason, answered, false, false, failure));
        await StoredResponseWriter.WriteAsync(exchange, stale, stale.CurrentAge(now), status);
        return true;
    }

    // None where the answer is for its client alone, and says nothing of what is stored for others.
    private static StoredUpdate Update(CacheExchange exchange, HashSet<string> ownFields, StoredResponse stored, in FetchTimes times)
    {
        var response = exchange.Context.Response;
        var head = ResponseReader.Read(exchange.Context, ownFields, times.Response);
        var fresh = ResponseReader.Freshen(exchange, ownFields, stored, times, out var refusal);
        if (StorageRules.IsOfRequest(refusal))
            return new(null, false, refusal);
        return refusal == CacheReason.None && HeadUpdate.Confirms(stored, head, response.Headers.LastModified, response.ContentLength)
            ? new(fresh, true, CacheReason.None)
            : new(stored.IsSuperseded ? null : stored.Superseded(), false, refusal);
    }

    private Task StoreAsync(CacheExchange exchange, StoredResponse updated) =>
        services.TryStoreInMemory(exchange, updated) ? services.StoreInRedisAsync(exchange, updated, isAwaited: true) : Task.CompletedTask;

    /// <summary>What an answer to HEAD says of the stored response to GET.</summary>
    /// <param name="Response">What takes its place, if anything.</param>
    /// <param name="IsConfirmed">Whether it is the same, brought up to date.</param>
    /// <param name="Refusal">Why the answer itself is not stored, if it must not be.</param>
    private readonly record struct StoredUpdate(StoredResponse? Response, bool IsConfirmed, CacheReason Refusal);
}
