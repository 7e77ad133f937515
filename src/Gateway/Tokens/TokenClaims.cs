using System.Text.Json;

namespace Gateway.Tokens;

/// <summary>Reads the payload of a verified token.</summary>
internal static class TokenClaims
{
    // The last second that DateTimeOffset can tell.
    private const long LastSecond = 253402300799;

    /// <summary>The dates. What is no NumericDate (RFC 7519 §2) counts as absent, but for <c>nbf</c>, which then never comes.</summary>
    public static TokenTimes ReadTimes(JsonElement payload) => new(
        Date(payload, "iat"),
        Date(payload, "nbf") ?? (payload.TryGetProperty("nbf", out var notBefore) && notBefore.ValueKind != JsonValueKind.Null ? long.MaxValue : null),
        Date(payload, "exp"));

    /// <summary>Claims that are text, number or truth value, or lists of these; objects are left out.</summary>
    public static TokenClaim[] Read(JsonElement payload)
    {
        var claims = new List<TokenClaim>();
        foreach (var property in payload.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Array)
                claims.AddRange(property.Value.EnumerateArray().Select(Text).OfType<string>().Select(text => new TokenClaim(property.Name, text)));
            else if (Text(property.Value) is { } value)
                claims.Add(new TokenClaim(property.Name, value));
        }

        return [.. claims];
    }

    private static long? Date(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var seconds) && seconds is >= 0 and <= LastSecond
            ? (long)seconds
            : null;

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };
}
