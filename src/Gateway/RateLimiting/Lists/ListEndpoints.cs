using System.Net;
using Gateway.Hosting.Configuration;
using Gateway.Redis;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.RateLimiting.Lists;

/// <summary>The allow and deny lists on the admin listener.</summary>
internal static class ListEndpoints
{
    internal const string ValueFix = "Write ClientIp (an address), Route, Host, Header:name, Cookie:name or Claim:type, and what it holds, 1 to 4096 characters.";

    private const int MaxValue = 4096;
    private static readonly TimeSpan MaxDuration = TimeSpan.FromDays(3660);

    /// <summary>
    /// <c>POST /rate-limits/lists</c> with a <see cref="ListRequest"/> adds an entry, or replaces that client's;
    /// <c>GET</c> lists them; <c>DELETE /rate-limits/lists/{id}</c> removes one.
    /// </summary>
    public static void Map(IEndpointRouteBuilder admin)
    {
        admin.MapGet("/rate-limits/lists", List);
        admin.MapPost("/rate-limits/lists", AddAsync);
        admin.MapDelete("/rate-limits/lists/{id}", RemoveAsync);
    }

    internal static bool TryReadValue(IdentityPart part, string? text, out string value)
    {
        value = text ?? "";
        if (value.Length is 0 or > MaxValue)
            return false;
        if (part.Source == IdentitySource.Host)
            value = value.ToLowerInvariant();
        if (part.Source != IdentitySource.ClientIp)
            return true;
        if (!IPAddress.TryParse(value, out var address))
            return false;
        value = IdentityPart.ClientNetwork(address);
        return true;
    }

    private static Ok<EntryList> List(ClientLists lists) =>
        TypedResults.Ok(new EntryList([.. lists.Entries.OrderBy(entry => entry.Policy, StringComparer.Ordinal).ThenBy(entry => entry.Id, StringComparer.Ordinal).Select(EntryResponse.Of)]));

    private static async Task<Results<Ok<EntryResponse>, ValidationProblem, ProblemHttpResult>> AddAsync(
        ListRequest request, HttpResponse response, ClientLists lists, RateLimitPolicies policies, RedisClock clock, CancellationToken cancellationToken)
    {
        if (Read(request, policies, clock.Now, out var errors) is not { } entry)
            return TypedResults.ValidationProblem(errors, title: "The entry has errors.");
        return await lists.AddAsync(entry, cancellationToken) switch
        {
            ListChange.Done => TypedResults.Ok(EntryResponse.Of(entry)),
            ListChange.Full => TypedResults.Problem(
                statusCode: StatusCodes.Status409Conflict, title: $"The lists hold {ClientLists.MaxEntries} entries.", detail: "Remove some first."),
            _ => RateLimitAdminEndpoints.Unavailable(response),
        };
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string id, HttpResponse response, ClientLists lists, CancellationToken cancellationToken) => await lists.RemoveAsync(id, cancellationToken) switch
        {
            ListChange.Done => TypedResults.NoContent(),
            ListChange.Missing => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "There is no such entry."),
            _ => RateLimitAdminEndpoints.Unavailable(response),
        };

    private static ListEntry? Read(ListRequest request, RateLimitPolicies policies, DateTimeOffset now, out Dictionary<string, string[]> errors)
    {
        errors = new(StringComparer.Ordinal);
        if (!EnumName.TryParse<ListKind>(request.List, out var list))
            errors["list"] = ["Write allow or deny."];
        if (string.IsNullOrEmpty(request.Policy) || policies.Find(request.Policy) is not { } policy)
        {
            errors["policy"] = [$"Write one of: {string.Join(", ", policies.Names.Order(StringComparer.Ordinal).Take(20))}."];
            policy = null;
        }

        var value = "";
        if (string.IsNullOrEmpty(request.By) || !IdentityPart.TryParse(request.By, out var by) || !TryReadValue(by, request.Value, out value))
        {
            errors["by"] = [ValueFix];
            by = default;
        }

        if (request.Seconds is <= 0 || request.Seconds > MaxDuration.TotalSeconds)
            errors["seconds"] = [$"Write 1 to {(long)MaxDuration.TotalSeconds}, or leave it out: the entry then stays until it is removed."];
        if (request.Note is { Length: > ListEntry.MaxNote })
            errors["note"] = [$"Write at most {ListEntry.MaxNote} characters."];
        if (errors.Count > 0)
            return null;
        var ends = request.Seconds is { } seconds ? now.AddSeconds(seconds) : DateTimeOffset.MaxValue;
        return new ListEntry(ListEntry.IdOf(policy!.Name, by, value), list, policy.Name, by, ends, request.Note ?? "");
    }
}

/// <summary>An entry to add.</summary>
/// <param name="List"><c>allow</c>: requests pass uncounted; <c>deny</c>: they are answered 403.</param>
/// <param name="By">What the client is told by: <c>ClientIp</c>, <c>Header:X-Key</c>, …</param>
/// <param name="Value">What it holds; kept as a hash only.</param>
/// <param name="Seconds">How long the entry holds; absent: until it is removed.</param>
/// <param name="Note">What it is for, at most 100 characters; stored and shown as it is.</param>
internal sealed record ListRequest(
    string? List = null, string? Policy = null, string? By = null, string? Value = null, long? Seconds = null, string? Note = null);

/// <summary>The entries that hold.</summary>
internal sealed record EntryList(IReadOnlyList<EntryResponse> Entries);

/// <summary>An entry; whom it is about is in the id alone.</summary>
internal sealed record EntryResponse(string Id, string List, string Policy, string By, DateTimeOffset? Ends, string Note)
{
    public static EntryResponse Of(ListEntry entry) => new(
        entry.Id, entry.List == ListKind.Allow ? "allow" : "deny", entry.Policy, entry.By.ToString(),
        entry.EndsAt.UtcDateTime.Year == DateTimeOffset.MaxValue.Year ? null : entry.EndsAt, entry.Note);
}
