using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Tokens.ApiKeys;

/// <summary>API keys on the admin listener.</summary>
internal static class ApiKeyEndpoints
{
    private const int MaxPage = 500;
    private const long DefaultOverlap = 86_400;
    private const long MaxOverlap = 90 * 86_400;

    /// <summary>
    /// <c>POST /api-keys</c> (<see cref="ApiKeyRequest"/>) makes a key, which is shown this once; <c>GET /api-keys?skip=&amp;limit=</c>
    /// lists them; <c>GET</c> and <c>DELETE /api-keys/{id}</c> read and revoke one (<c>?wait=true</c> answers when it is
    /// refused everywhere); <c>POST /api-keys/{id}/rotate</c> replaces one by a new key, with an overlap.
    /// </summary>
    public static void Map(IEndpointRouteBuilder admin)
    {
        admin.MapPost("/api-keys", CreateAsync);
        admin.MapGet("/api-keys", ListAsync);
        admin.MapGet("/api-keys/{id}", ReadAsync);
        admin.MapDelete("/api-keys/{id}", RevokeAsync);
        admin.MapPost("/api-keys/{id}/rotate", RotateAsync);
    }

    private static async Task<Results<Created<IssuedApiKey>, ValidationProblem, ProblemHttpResult>> CreateAsync(
        ApiKeyRequest request, HttpResponse response, TokenSchemes schemes, ApiKeyStore store, RedisClock clock, ILogger<ApiKeyStore> logger, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (request.Read(schemes, clock.Now, errors) is not { } scheme)
            return TypedResults.ValidationProblem(errors, title: "The key has errors.");

        var id = ApiKeyText.NewId();
        var text = ApiKeyText.Create(scheme.Options.ApiKeys.Prefix, id);
        var key = new ApiKey(
            scheme.Name, request.Owner!, [.. request.Scopes ?? []], request.Plan, request.Note, clock.Now.ToUnixTimeSeconds(), request.Expires?.ToUnixTimeSeconds(), ApiKeyText.Hash(text));
        var outcome = await store.CreateAsync(id, key, cancellationToken);
        if (outcome != ApiKeyOutcome.Done)
            return Problem(response, outcome);
        TokensLog.ApiKeyCreated(logger, id, scheme.Name);
        response.Headers.CacheControl = "no-store";
        return TypedResults.Created($"/api-keys/{id}", new IssuedApiKey(text, ApiKeyResponse.Of(id, key)));
    }

    private static async Task<Results<Ok<ApiKeyPage>, ValidationProblem, ProblemHttpResult>> ListAsync(
        HttpResponse response, ApiKeyStore store, CancellationToken cancellationToken, int skip = 0, int limit = 100)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (skip is < 0 or > ApiKeyStore.MaxKeys)
            errors["skip"] = [$"Write a whole number from 0 to {ApiKeyStore.MaxKeys}."];
        if (limit is < 1 or > MaxPage)
            errors["limit"] = [$"Write a whole number from 1 to {MaxPage}."];
        if (errors.Count > 0)
            return TypedResults.ValidationProblem(errors, title: "There is no such page.");
        return await store.ListAsync(skip, limit, cancellationToken) is { } page
            ? TypedResults.Ok(new ApiKeyPage([.. page.Select(key => ApiKeyResponse.Of(key.Id, key.Key))], page.Count == limit ? $"/api-keys?skip={skip + limit}&limit={limit}" : null))
            : Problem(response, ApiKeyOutcome.Unavailable);
    }

    private static async Task<Results<Ok<ApiKeyResponse>, ProblemHttpResult>> ReadAsync(string id, HttpResponse response, ApiKeyStore store, CancellationToken cancellationToken)
    {
        var (key, outcome) = await FindAsync(id, store, cancellationToken);
        return key is null ? Problem(response, outcome) : TypedResults.Ok(ApiKeyResponse.Of(id, key.Key));
    }

    private static async Task<Results<Ok<IssuedApiKey>, ValidationProblem, ProblemHttpResult>> RotateAsync(
        string id, HttpResponse response, TokenSchemes schemes, ApiKeyStore store, RedisClock clock, ILogger<ApiKeyStore> logger, CancellationToken cancellationToken,
        RotateRequest? request = null)
    {
        var overlap = request?.OverlapSeconds ?? DefaultOverlap;
        if (overlap is < 0 or > MaxOverlap)
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["overlapSeconds"] = [$"Write 0 to {MaxOverlap}, or leave it out: {DefaultOverlap}."] }, title: "The key cannot be rotated so.");
        }

        var (before, outcome) = await FindAsync(id, store, cancellationToken);
        if (before is null)
            return Problem(response, outcome);
        if (schemes.Find(before.Key.Scheme) is not { Kind: TokenKind.ApiKey } scheme)
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "The key's scheme is not configured any more.", detail: "Revoke the key.");
        var text = ApiKeyText.Create(scheme.Options.ApiKeys.Prefix, id);
        var after = before.Key.Rotate(ApiKeyText.Hash(text), clock.Now.ToUnixTimeSeconds(), overlap);
        outcome = await store.ReplaceAsync(before, after, cancellationToken);
        if (outcome == ApiKeyOutcome.Missing)
            return TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "The key was changed at the same moment.", detail: "Read it, and decide again.");
        if (outcome != ApiKeyOutcome.Done)
            return Problem(response, outcome);
        TokensLog.ApiKeyRotated(logger, id, overlap);
        response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new IssuedApiKey(text, ApiKeyResponse.Of(id, after)));
    }

    private static async Task<Results<Ok<RevokedApiKey>, Accepted<RevokedApiKey>, ProblemHttpResult>> RevokeAsync(
        string id, HttpResponse response, ApiKeyStore store, SharedChangeLog log, ILogger<ApiKeyStore> logger, CancellationToken cancellationToken, bool wait = false)
    {
        var (key, outcome) = await FindAsync(id, store, cancellationToken);
        if (key is null)
            return Problem(response, outcome);
        (outcome, var receipt) = await store.RevokeAsync(key, cancellationToken);
        if (outcome != ApiKeyOutcome.Done)
            return Problem(response, outcome);
        TokensLog.ApiKeyRevoked(logger, id);
        var spread = wait ? await log.WaitAsync(receipt, cancellationToken) : null;
        if (wait && spread is null)
            return Problem(response, ApiKeyOutcome.Unavailable);
        var answer = new RevokedApiKey(id, spread?.Applied, spread?.Silent, spread?.Behind);
        return spread is { Behind.Count: > 0 } ? TypedResults.Accepted((string?)null, answer) : TypedResults.Ok(answer);
    }

    private static async ValueTask<(StoredApiKey? Key, ApiKeyOutcome Outcome)> FindAsync(string id, ApiKeyStore store, CancellationToken cancellationToken)
    {
        if (!ApiKeyText.IsId(id))
            return (null, ApiKeyOutcome.Missing);
        var reply = await store.ReadAsync(id, cancellationToken);
        return reply.TryGet(out var key) ? (key, key is null ? ApiKeyOutcome.Missing : ApiKeyOutcome.Done) : (null, ApiKeyOutcome.Unavailable);
    }

    private static ProblemHttpResult Problem(HttpResponse response, ApiKeyOutcome outcome)
    {
        if (outcome == ApiKeyOutcome.Missing)
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "There is no such key.");
        if (outcome == ApiKeyOutcome.Full)
            return TypedResults.Problem(statusCode: StatusCodes.Status507InsufficientStorage, title: $"{ApiKeyStore.MaxKeys} keys are kept already.", detail: "Revoke keys that nobody uses.");
        response.Headers.RetryAfter = "1";
        return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Redis does not answer: what was asked for may or may not be done.");
    }
}
