using Gateway.ChangeLog;
using Gateway.Redis;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Tokens.Revocations;

/// <summary>Revocations on the admin listener.</summary>
internal static class RevokeEndpoints
{
    private const int MaxValueLength = 4096;
    private const int RecordMarginSeconds = 60;

    /// <summary><c>POST /tokens/revoke</c>: see <see cref="RevokeRequest"/>. With <c>?wait=true</c> it answers when the revocation is in force everywhere it can be.</summary>
    public static void Map(IEndpointRouteBuilder admin) => admin.MapPost("/tokens/revoke", RevokeAsync);

    private static async Task<Results<Ok<RevokeResponse>, Accepted<RevokeResponse>, ValidationProblem, ProblemHttpResult>> RevokeAsync(
        RevokeRequest request, TokenSchemes schemes, RevocationStore store, IssuerLeads leads, SharedChangeLog log, RedisClock clock,
        ILogger<RevocationStore> logger, HttpResponse response, CancellationToken cancellationToken, bool wait = false)
    {
        var now = clock.Now;
        var errors = Check(request, schemes, now);
        if (errors.Count > 0)
            return TypedResults.ValidationProblem(errors, title: "The request names nothing that can be revoked.");

        var concerned = ConcernedBy(request, schemes);
        TokensLog.Revoked(logger, KindOf(request), string.Join(", ", concerned.Select(scheme => scheme.Name)));
        var revocations = await CreateAsync(request, concerned, leads, now.ToUnixTimeSeconds(), cancellationToken);
        var (outcome, receipt) = revocations is null ? (RevocationOutcome.Unavailable, default) : await store.AddAsync(revocations, cancellationToken);
        if (outcome == RevocationOutcome.Full)
        {
            return TypedResults.Problem(
                statusCode: StatusCodes.Status507InsufficientStorage,
                title: $"{RevocationStore.MaxRevocations} revocations are kept already. Revoke more at once, by subject or issuedBefore.");
        }

        var spread = outcome == RevocationOutcome.Written && wait ? await log.WaitAsync(receipt, cancellationToken) : null;
        if (outcome == RevocationOutcome.Unavailable || (wait && spread is null))
        {
            response.Headers.RetryAfter = "1";
            return TypedResults.Problem(
                statusCode: StatusCodes.Status503ServiceUnavailable,
                title: outcome == RevocationOutcome.Unavailable
                    ? "Redis does not answer: the revocation may not be in force."
                    : "The revocation is written, but Redis no longer answers: where it is in force is not known.");
        }

        var answer = new RevokeResponse(concerned.Count, receipt.Number, spread?.Applied, spread?.Silent, spread?.Behind);
        return spread is { Behind.Count: > 0 } ? TypedResults.Accepted((string?)null, answer) : TypedResults.Ok(answer);
    }

    // An API key may outlast every revocation of this kind.
    private static List<TokenScheme> ConcernedBy(RevokeRequest request, TokenSchemes schemes) =>
        [.. schemes.All.Where(scheme => scheme.Kind != TokenKind.ApiKey).Where(scheme => request.Scheme is null || scheme.Name.Equals(request.Scheme, StringComparison.OrdinalIgnoreCase))];

    private static Dictionary<string, string[]> Check(RevokeRequest request, TokenSchemes schemes, DateTimeOffset now)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (ConcernedBy(request, schemes).Count == 0)
            errors["scheme"] = [$"Write one of: {string.Join(", ", ConcernedBy(new RevokeRequest(), schemes).Select(scheme => scheme.Name))}; or none, for all of them. API keys are revoked by DELETE /api-keys/ID."];

        string?[] named = [request.Token, request.Jti, request.Subject];
        var count = named.Count(value => value is not null);
        if (count > 1 || (count == 0 && request.IssuedBefore is null))
            errors[""] = ["Name one of token, jti, subject; or issuedBefore, alone or with subject."];
        if (request.IssuedBefore is not null && (request.Token ?? request.Jti) is not null)
            errors["issuedBefore"] = ["A token and a jti are revoked whenever they were issued: leave it out."];
        if (request.IssuedBefore > now)
            errors["issuedBefore"] = ["Write a time that has passed: a later one would refuse tokens that are yet to be issued."];
        if (request.Token is { } token && !ConcernedBy(request, schemes).Exists(scheme => TokenRules.CheckSyntax(scheme.Kind, token) == TokenRefusal.None))
            errors["token"] = ["Write the whole token, as in Authorization but without 'Bearer'."];
        if (request.Jti is { Length: 0 or > MaxValueLength } || request.Subject is { Length: 0 or > MaxValueLength })
            errors[request.Jti is null ? "subject" : "jti"] = [$"Write 1 to {MaxValueLength} characters."];
        return errors;
    }

    /// <returns>Null when Redis did not say what must be known for it.</returns>
    private static async ValueTask<List<Revocation>?> CreateAsync(
        RevokeRequest request, List<TokenScheme> schemes, IssuerLeads leads, long now, CancellationToken cancellationToken)
    {
        var revocations = new List<Revocation>();
        foreach (var scheme in schemes)
        {
            // A token or a jti is revoked whenever it was issued.
            if ((request.Token ?? request.Jti) is not null)
                revocations.Add(Create(request, scheme, now, lead: 0));
            else if (await leads.FindAsync(scheme, cancellationToken) is { } lead)
                revocations.Add(Create(request, scheme, now, lead));
            else
                return null;
        }

        return revocations;
    }

    private static Revocation Create(RevokeRequest request, TokenScheme scheme, long now, long lead)
    {
        // No accepted token that exists now lasts longer: TokenRules.CheckTimes.
        var ends = now + (long)(scheme.Options.MaxLifetime + (2 * scheme.Options.ClockSkew)).TotalSeconds + RecordMarginSeconds;
        if (request.Token is { } token)
            return new Revocation(RevocationId.OfToken(scheme.Name, TokenRules.RevocablePart(scheme.Kind, token)), Revocation.Always, ends);
        if (request.Jti is { } jti)
            return new Revocation(RevocationId.OfJti(scheme.Name, jti), Revocation.Always, ends);
        // Tokens are dated in whole seconds: without a time of its own, the request includes those of this second.
        var before = request.IssuedBefore is { } time ? (time.ToUnixTimeMilliseconds() + 999) / 1000 : now + 1;
        return new Revocation(
            request.Subject is { } subject ? RevocationId.OfSubject(scheme.Name, subject) : RevocationId.OfScheme(scheme.Name), before + lead, ends);
    }

    private static string KindOf(RevokeRequest request) =>
        request.Token is not null ? "a token" : request.Jti is not null ? "a jti" : request.Subject is not null ? "a subject" : "tokens issued before a time";
}

/// <summary>What to revoke: tokens that match are refused from now on, on every node, however they were or will be validated.</summary>
/// <param name="Scheme">The scheme; none means all.</param>
/// <param name="Token">A token. It is hashed at once and neither kept nor logged.</param>
/// <param name="Jti">The <c>jti</c> of a token.</param>
/// <param name="Subject">A subject: all tokens issued to it until now, or before <paramref name="IssuedBefore"/>.</param>
/// <param name="IssuedBefore">Alone: all tokens of the scheme issued before this time.</param>
internal sealed record RevokeRequest(
    string? Scheme = null, string? Token = null, string? Jti = null, string? Subject = null, DateTimeOffset? IssuedBefore = null)
{
    /// <summary>Names no value: the token is a secret.</summary>
    public override string ToString() => nameof(RevokeRequest);
}

/// <summary>What was revoked.</summary>
/// <param name="Revocations">How many revocations were written: one per scheme.</param>
/// <param name="Number">The number of the last in the change log.</param>
/// <param name="Applied">With <c>wait</c>: nodes where it is in force.</param>
/// <param name="Silent">With <c>wait</c>: nodes that do not answer and have no lease; what they do is the scheme's <c>WhenRevocationUnknown</c>.</param>
/// <param name="Behind">With <c>wait</c>: nodes that had not applied it after 5 s; the answer is 202 then.</param>
internal sealed record RevokeResponse(
    int Revocations, long Number, IReadOnlyList<string>? Applied, IReadOnlyList<string>? Silent, IReadOnlyList<string>? Behind);
