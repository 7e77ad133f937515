using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.Caching.Fetch;

/// <summary>
/// Forwards a HEAD that the store cannot answer. A 200 says something of the stored response to GET: it is brought up
/// to date, or is stale from now on. RFC 9111 §4.3.5.
/// </summary>
internal sealed class HeadForward(RequestDelegate next, FetchServices services)
{
    /// <param name="candidate">Why it is forwarded, and the stored response to GET.</param>
    public async Task AnswerAsync(CacheExchange exchange, FetchCandidate candidate)
    {
        var context = exchange.Context;
        var ownFields = new HashSet<string>(context.Response.Headers.Keys, StringComparer.OrdinalIgnoreCase);
        var times = new FetchTimes(services.Clock.Now, default, services.ChangeLog.Stamp);
        StoredResponse? updated = null;
        OverridingFields.Remove(context.Request.Headers, exchange.Policy.Options.VaryByHeader);
        context.Response.OnStarting(() =>
        {
            times = times with { Response = services.Clock.Now };
            if (candidate.Replacement is { } stored && context.Response.StatusCode == StatusCodes.Status200OK && !ResponseReader.HasForwarderError(context))
                updated = Update(context, ownFields, stored, exchange.Policy, times);
            var status = CacheStatus.Forwarded(candidate.Reason, context.Response.StatusCode, updated is not null, false, CacheReason.None);
            context.Response.Headers.Append(CacheStatus.FieldName, status);
            // Before the client knows, so that its next request meets the update.
            return updated is null ? Task.CompletedTask : StoreAsync(exchange, updated);
        });
        await next(context);
    }

    private static StoredResponse Update(
        HttpContext context, HashSet<string> ownFields, StoredResponse stored, HttpCachePolicy policy, in FetchTimes times)
    {
        var response = context.Response;
        var head = ResponseReader.Read(context, ownFields, times.Response);
        return HeadUpdate.Confirms(stored, head, response.Headers.LastModified, response.ContentLength)
            ? ResponseReader.Freshen(context, ownFields, stored, policy, times)
            : stored.Superseded();
    }

    private Task StoreAsync(CacheExchange exchange, StoredResponse updated) =>
        services.TryStoreInMemory(exchange, updated) ? services.StoreInRedisAsync(exchange, updated).AsTask() : Task.CompletedTask;
}
