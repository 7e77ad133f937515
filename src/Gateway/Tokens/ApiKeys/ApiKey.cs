using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Tokens.ApiKeys;

/// <summary>A key as Redis keeps it, without the key: what it allows, and the hashes by which it is recognised.</summary>
/// <param name="Scheme">The scheme whose routes it opens.</param>
/// <param name="Owner">Whose it is: the claim <c>sub</c>.</param>
/// <param name="Scopes">The claim <c>scope</c>.</param>
/// <param name="Plan">The claim <c>plan</c>; null: none.</param>
/// <param name="Note">What it is for; shown, not forwarded.</param>
/// <param name="Created">In seconds since 1970: the claim <c>iat</c>.</param>
/// <param name="Expires">In seconds since 1970; null: never.</param>
/// <param name="Hash">Of the current key.</param>
/// <param name="Rotated">When the current key replaced another, in seconds since 1970.</param>
/// <param name="PreviousHash">Of the key before; null: none.</param>
/// <param name="PreviousUntil">Until when that one passes too, in seconds since 1970.</param>
internal sealed record ApiKey(
    string Scheme, string Owner, string[] Scopes, string? Plan, string? Note, long Created, long? Expires,
    string Hash, long? Rotated = null, string? PreviousHash = null, long? PreviousUntil = null)
{
    // The last second that DateTimeOffset can tell.
    private const long Never = 253402300799;

    /// <summary>When the key behind a hash ends, in seconds since 1970; null where that is none of this one's.</summary>
    public long? EndOf(string hash)
    {
        var end = Expires ?? Never;
        if (IsSame(hash, Hash))
            return end;
        return PreviousHash is not null && IsSame(hash, PreviousHash) ? Math.Min(end, PreviousUntil ?? 0) : null;
    }

    /// <summary>When nothing of it passes any more, in milliseconds since 1970.</summary>
    public long End => (Expires ?? Never) * 1000;

    /// <summary>The same under a new key; the one before passes for a while.</summary>
    public ApiKey Rotate(string hash, long now, long overlapSeconds) =>
        this with { Hash = hash, Rotated = now, PreviousHash = overlapSeconds > 0 ? Hash : null, PreviousUntil = overlapSeconds > 0 ? now + overlapSeconds : null };

    /// <summary>What requests with it are known by, like the claims of a token.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="end">See <see cref="EndOf"/>.</param>
    public TokenClaim[] ClaimsFor(string id, long end)
    {
        List<TokenClaim> claims = [new("sub", Owner), new("jti", id)];
        if (end < Never)
            claims.Add(new("exp", end.ToString(CultureInfo.InvariantCulture)));
        if (Scopes.Length > 0)
            claims.Add(new("scope", string.Join(' ', Scopes)));
        if (Plan is not null)
            claims.Add(new("plan", Plan));
        return [.. claims];
    }

    public string ToText() => JsonSerializer.Serialize(this, ApiKeyJson.Default.ApiKey);

    /// <returns>Null when <paramref name="json"/> is something else.</returns>
    public static ApiKey? Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ApiKeyJson.Default.ApiKey) is { Scheme: not null, Owner: not null, Scopes: not null, Hash: not null } key ? key : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsSame(string given, string kept) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(given), Encoding.ASCII.GetBytes(kept));
}

[JsonSerializable(typeof(ApiKey))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class ApiKeyJson : JsonSerializerContext;
