using System.Text;
using System.Text.Json;

namespace Gateway.Tokens;

/// <summary>Where an issuer's keys are read from.</summary>
internal sealed class KeySource
{
    private const string Discovery = "/.well-known/openid-configuration";

    private KeySource(string id, string place, TimeSpan refreshAfter, TimeSpan betweenReads, Func<HttpClient, Task<string>> readAsync)
    {
        Id = id;
        Place = place;
        RefreshAfter = refreshAfter;
        BetweenReads = betweenReads;
        ReadAsync = readAsync;
    }

    /// <summary>Sources with the same id give the same keys.</summary>
    public string Id { get; }

    /// <summary>A host, or the name of a file: what logs and metrics say.</summary>
    public string Place { get; }

    /// <summary>How old keys may grow.</summary>
    public TimeSpan RefreshAfter { get; }

    /// <summary>The pause between two readings, however many ask.</summary>
    public TimeSpan BetweenReads { get; }

    /// <summary>Reads a JWK Set.</summary>
    public Func<HttpClient, Task<string>> ReadAsync { get; }

    /// <summary>The one that a scheme names.</summary>
    public static KeySource Of(TokenSchemeOptions scheme)
    {
        if (scheme.JwksFile.Length > 0)
            return new($"file {scheme.JwksFile}", Path.GetFileName(scheme.JwksFile), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), _ => File.ReadAllTextAsync(scheme.JwksFile));
        var (refresh, pause) = (TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(15));
        if (scheme.JwksUri.Length > 0)
            return new($"keys {scheme.JwksUri}", new Uri(scheme.JwksUri).Host, refresh, pause, http => http.GetStringAsync(new Uri(scheme.JwksUri)));
        return new(
            $"issuer {scheme.ExpectedIssuer} at {scheme.Authority}", new Uri(scheme.Authority).Host, refresh, pause,
            http => DiscoverAsync(http, scheme.Authority.TrimEnd('/') + Discovery, scheme.ExpectedIssuer));
    }

    private static async Task<string> DiscoverAsync(HttpClient http, string address, string issuer) =>
        await http.GetStringAsync(FindKeys(await http.GetStringAsync(new Uri(address)), new Uri(address), issuer));

    /// <summary>Where the keys are, by an issuer's description of itself (OpenID Connect Discovery 1.0 §3).</summary>
    /// <exception cref="FormatException">It is another issuer's, or names no keys that can be trusted.</exception>
    public static Uri FindKeys(string metadata, Uri address, string issuer)
    {
        using var document = StrictJson.TryParse(Encoding.UTF8.GetBytes(metadata)) ?? throw new FormatException("The description is no JSON.");
        // §4.3: otherwise whoever answers there could speak for any issuer.
        if (TextOf(document.RootElement, "issuer") != issuer)
            throw new FormatException($"The description names another issuer than '{issuer}'.");
        // Keys that anybody on the way could replace must not be believed for the sake of a description that nobody could.
        return Uri.TryCreate(TextOf(document.RootElement, "jwks_uri"), UriKind.Absolute, out var keys) && (keys.Scheme == "https" || (keys.Scheme == "http" && address.Scheme == "http"))
            ? keys
            : throw new FormatException("The description names no jwks_uri, or one that is less safe than its own address.");
    }

    private static string? TextOf(JsonElement description, string name) =>
        description.ValueKind == JsonValueKind.Object && description.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
