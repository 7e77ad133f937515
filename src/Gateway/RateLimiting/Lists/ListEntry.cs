using System.Globalization;
using System.Text.Json;
using Gateway.Hosting.Configuration;

namespace Gateway.RateLimiting.Lists;

/// <summary>Which list.</summary>
internal enum ListKind
{
    /// <summary>Passes uncounted.</summary>
    Allow,

    /// <summary>Is answered 403. Wins over <see cref="Allow"/>.</summary>
    Deny,
}

/// <summary>An entry of the allow and deny lists. Who it is about is in <see cref="Id"/> alone, which is a hash.</summary>
/// <param name="Policy">The rate limit policy.</param>
/// <param name="By">What the client is told by, as in a limit's <c>By</c>.</param>
/// <param name="EndsAt">When it ends by Redis time; <see cref="DateTimeOffset.MaxValue"/>: when it is removed.</param>
internal sealed record ListEntry(string Id, ListKind List, string Policy, IdentityPart By, DateTimeOffset EndsAt, string Note)
{
    public const int MaxNote = 100;

    public static string IdOf(string policy, IdentityPart by, string value) =>
        RateLimitIdentity.Hash($"{policy.ToLowerInvariant()}:{(int)by.Source}:{by.Name.Length}:{by.Name}{value}");

    /// <summary>As Redis holds it: the end first, for the script, then the rest as JSON.</summary>
    public string ToText() => string.Create(
        CultureInfo.InvariantCulture, $"{EndsAt.ToUnixTimeMilliseconds()} {JsonSerializer.Serialize(new Stored(List.ToString(), Policy, By.ToString(), Note))}");

    /// <returns>Null when the text is no entry.</returns>
    public static ListEntry? Parse(string id, string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0 || !long.TryParse(text.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var ends))
            return null;
        try
        {
            return JsonSerializer.Deserialize<Stored>(text.AsSpan(space + 1)) is { Policy: not null, By.Length: > 0 } stored
                && EnumName.TryParse<ListKind>(stored.List, out var list)
                && IdentityPart.TryParse(stored.By, out var by)
                    ? new ListEntry(id, list, stored.Policy, by, DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(ends, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())), stored.Note ?? "")
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record Stored(string List, string Policy, string By, string Note);
}
