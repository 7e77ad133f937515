namespace Gateway.RateLimiting;

/// <summary>
/// Admits a request when all limits of its route's policy do. (1) A client known to be over a limit is refused from
/// memory; (2) the counters of all nodes decide, in one call; (3) without Redis the limits' own setting does.
/// </summary>
internal sealed class RateLimitingMiddleware(
    RequestDelegate next, RateLimitPolicies policies, RateLimitCounters counters, BlockedClients blocked, RateLimitingMetrics metrics)
{
    // draft-ietf-httpapi-ratelimit-headers-10 §5.
    private const string QuotaExceeded = "https://iana.org/assignments/http-problem-types#quota-exceeded";

    private static readonly TimeSpan RetryWithoutRedis = TimeSpan.FromSeconds(1);

    public Task InvokeAsync(HttpContext context) =>
        policies.Find(context.GetEndpoint()) is { } policy ? LimitAsync(context, policy) : next(context);

    private async Task LimitAsync(HttpContext context, RateLimitPolicy policy)
    {
        var keys = counters.KeysOf(policy, context);

        // 1.
        foreach (var key in keys)
        {
            if (!blocked.TryGet(key.ToString(), out var known))
                continue;
            await RejectAsync(context, policy, [known]);
            return;
        }

        // 2.
        if (await counters.TryChargeAsync(policy, keys, context.RequestAborted) is { } charge)
        {
            RateLimitFields.Write(context.Response.Headers, charge.Limits);
            if (charge.IsAdmitted)
            {
                metrics.Admitted(policy.Name);
                await next(context);
                return;
            }

            for (var i = 0; i < keys.Length; i++)
            {
                if (charge.Limits[i].Remaining == 0)
                    blocked.Add(keys[i].ToString(), charge.Limits[i]);
            }

            await RejectAsync(context, policy, [.. charge.Limits.Where(limit => limit.Remaining == 0)]);
            return;
        }

        // 3.
        if (policy.Limits.Any(limit => limit.WhenRedisIsDown == WhenRedisIsDown.Deny))
        {
            await RefuseWithoutRedisAsync(context, policy);
            return;
        }

        metrics.Uncounted(policy.Name);
        await next(context);
    }

    private Task RejectAsync(HttpContext context, RateLimitPolicy policy, IReadOnlyList<LimitState> violated)
    {
        metrics.Rejected(policy.Name, violated[0].Limit.Name);
        var fields = context.Response.Headers;
        if (!fields.ContainsKey("RateLimit"))
            RateLimitFields.Write(fields, violated);
        RateLimitFields.WriteRetryAfter(fields, violated.Max(limit => limit.Reset));
        fields.CacheControl = "no-store";
        return TypedResults.Problem(
            type: QuotaExceeded,
            title: "Too many requests.",
            statusCode: StatusCodes.Status429TooManyRequests,
            extensions: [new("violated-policies", violated.Select(limit => limit.Limit.Name).ToArray())]).ExecuteAsync(context);
    }

    private Task RefuseWithoutRedisAsync(HttpContext context, RateLimitPolicy policy)
    {
        metrics.Refused(policy.Name);
        RateLimitFields.WriteRetryAfter(context.Response.Headers, RetryWithoutRedis);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(
            title: "Requests cannot be counted at the moment.", statusCode: StatusCodes.Status503ServiceUnavailable).ExecuteAsync(context);
    }
}
