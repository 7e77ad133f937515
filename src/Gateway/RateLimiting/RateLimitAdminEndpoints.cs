using Gateway.ChangeLog;
using Gateway.RateLimiting.Ranking;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.RateLimiting;

/// <summary>Counters of clients on the admin listener.</summary>
internal static class RateLimitAdminEndpoints
{
    private const int MaxPage = 500;
    private static readonly Selector Reset = Selector.Of(RateLimitSynchronizer.ResetKind, "");

    /// <summary>
    /// <c>POST /rate-limits/counters</c> and <c>POST /rate-limits/reset</c> with a <see cref="ClientRequest"/>: what a
    /// client has used, and forgetting it. Bodies, because addresses and keys do not belong into URLs.
    /// <c>GET /rate-limits/most-limited?hour=this|last&amp;limit=</c>: see <see cref="LimitedClients"/>.
    /// </summary>
    public static void MapRateLimitsAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapPost("/rate-limits/counters", ReadAsync);
        admin.MapPost("/rate-limits/reset", ResetAsync);
        admin.MapGet("/rate-limits/most-limited", RankAsync);
        Lists.ListEndpoints.Map(admin);
    }

    internal static ProblemHttpResult Unavailable(HttpResponse response)
    {
        response.Headers.RetryAfter = "1";
        return TypedResults.Problem(
            statusCode: StatusCodes.Status503ServiceUnavailable, title: "Redis does not answer: what was asked for may or may not be done. Send it again.");
    }

    private static async Task<Results<Ok<ClientCounters>, ValidationProblem, ProblemHttpResult>> ReadAsync(
        ClientRequest request, HttpResponse response, RateLimitPolicies policies, RequestCharges requests, RateLimitCounters counters, CancellationToken cancellationToken)
    {
        if (ChargesOf(request, policies, requests, out var errors) is not { } charges)
            return Invalid(errors);
        if (await counters.TryReadAsync(charges, cancellationToken) is not { } read)
            return Unavailable(response);
        return TypedResults.Ok(new ClientCounters([.. charges.Zip(read.Limits, (charge, state) => new ClientCounter(
            charge.Limit.Name, charge.Limit.Algorithm.ToString(), charge.Identity, state.Permits, state.Used, state.Remaining, Math.Ceiling(state.Reset.TotalSeconds)))]));
    }

    private static async Task<Results<NoContent, ValidationProblem, ProblemHttpResult>> ResetAsync(
        ClientRequest request, HttpResponse response, RateLimitPolicies policies, RequestCharges requests, RateLimitCounters counters,
        RateLimitSynchronizer synchronizer, SharedChangeLog log, CancellationToken cancellationToken)
    {
        if (ChargesOf(request, policies, requests, out var errors) is not { } charges)
            return Invalid(errors);
        if (!await counters.TryResetAsync(charges, cancellationToken))
            return Unavailable(response);
        synchronizer.ForgetCounters();
        return await log.TryAppendAsync([Reset], cancellationToken) is null ? Unavailable(response) : TypedResults.NoContent();
    }

    private static async Task<Results<Ok<MostLimited>, ValidationProblem, ProblemHttpResult>> RankAsync(
        HttpResponse response, LimitedClients clients, CancellationToken cancellationToken, string hour = "this", int limit = 10)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (hour is not ("this" or "last"))
            errors["hour"] = ["Write this or last."];
        if (limit is < 1 or > MaxPage)
            errors["limit"] = [$"Write a whole number from 1 to {MaxPage}."];
        if (errors.Count > 0)
            return Invalid(errors);

        // So that whom this node has just rejected is found.
        await clients.SendAsync(cancellationToken);
        return await clients.ReadAsync(hour == "last", limit, cancellationToken) is { } ranked
            ? TypedResults.Ok(new MostLimited(hour, [.. ranked.Select(one => new RankedClient(one.Client.Policy, one.Client.Limit, one.Client.Identity, one.Rejections))]))
            : Unavailable(response);
    }

    private static LimitCharge[]? ChargesOf(
        ClientRequest request, RateLimitPolicies policies, RequestCharges requests, out Dictionary<string, string[]> errors)
    {
        errors = new(StringComparer.Ordinal);
        if (string.IsNullOrEmpty(request.Policy) || policies.Find(request.Policy) is not { } policy)
        {
            errors["policy"] = [$"Write one of: {string.Join(", ", policies.Names.Order(StringComparer.Ordinal).Take(20))}."];
            return null;
        }

        var identity = ReadIdentity(request, errors);
        var needed = policy.Limits.SelectMany(limit => limit.By).Distinct()
            .Where(part => !identity.ContainsKey(part) && !(part != IdentityPart.ClientIp && identity.ContainsKey(IdentityPart.ClientIp))).ToArray();
        if (needed.Length > 0)
            errors["identity"] = [$"Say who the client is: {string.Join(", ", needed)}. What a request lacks, ClientIp stands for."];
        return errors.Count > 0 ? null : requests.Of(policy, identity.GetValueOrDefault);
    }

    private static Dictionary<IdentityPart, string> ReadIdentity(ClientRequest request, Dictionary<string, string[]> errors)
    {
        var identity = new Dictionary<IdentityPart, string>();
        foreach (var (name, value) in request.Identity ?? [])
        {
            if (name.Length > 0 && IdentityPart.TryParse(name, out var part) && Lists.ListEndpoints.TryReadValue(part, value, out var read))
                identity[part] = read;
            else
                errors[$"identity.{name}"] = [Lists.ListEndpoints.ValueFix];
        }

        return identity;
    }

    private static ValidationProblem Invalid(Dictionary<string, string[]> errors) =>
        TypedResults.ValidationProblem(errors, title: "The request names no client of a policy.");
}

/// <summary>A client of a policy.</summary>
/// <param name="Identity">What its requests hold, by the parts of <c>By</c>: <c>{ "ClientIp": "192.0.2.1", "Header:X-Key": "…" }</c>; a tier's part too.</param>
internal sealed record ClientRequest(string? Policy = null, Dictionary<string, string?>? Identity = null);

/// <summary>What a client has used, limit by limit.</summary>
internal sealed record ClientCounters(IReadOnlyList<ClientCounter> Counters);

/// <param name="Client">The hash by which Redis and the ranking know the client.</param>
internal sealed record ClientCounter(string Limit, string Algorithm, string Client, long PermitLimit, long Used, long Remaining, double ResetSeconds);

/// <summary>The clients that were rejected most in an hour.</summary>
internal sealed record MostLimited(string Hour, IReadOnlyList<RankedClient> Clients);

/// <param name="Client">As in <see cref="ClientCounter"/>.</param>
internal sealed record RankedClient(string Policy, string Limit, string Client, long Rejections);
