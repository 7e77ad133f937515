using Gateway.Hosting.Configuration;
using Gateway.Tokens.Introspection;

namespace Gateway.Tokens;

/// <summary>What a scheme must say of where the truth about its tokens is: keys from one source, or a provider to ask.</summary>
internal static class SchemeKindRules
{
    private const string UrlFix = "Write an absolute http or https URL without user name and password.";
    private static readonly TimeSpan MinTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxTimeout = TimeSpan.FromSeconds(30);

    public static void Validate(ConfigurationErrors errors, string path, TokenSchemeOptions scheme)
    {
        string[] named = [.. NamesOf(scheme)];
        errors.Require(named.Length == 1, path,
            named.Length == 0 ? "does not say how tokens are checked." : $"says in several ways how tokens are checked: {string.Join(", ", named)}.",
            $"Write exactly one of {nameof(scheme.JwksUri)}, {nameof(scheme.Authority)}, {nameof(scheme.JwksFile)}, or {nameof(scheme.Introspection)}:{nameof(IntrospectionOptions.Endpoint)}.");
        if (scheme.Introspection.Endpoint.Length > 0)
            ValidateIntrospection(errors, $"{path}:{nameof(scheme.Introspection)}", scheme.Introspection);
        else
            ValidateKeys(errors, path, scheme);
    }

    private static IEnumerable<string> NamesOf(TokenSchemeOptions scheme)
    {
        if (scheme.JwksUri.Length > 0)
            yield return nameof(scheme.JwksUri);
        if (scheme.Authority.Length > 0)
            yield return nameof(scheme.Authority);
        if (scheme.JwksFile.Length > 0)
            yield return nameof(scheme.JwksFile);
        if (scheme.Introspection.Endpoint.Length > 0)
            yield return nameof(scheme.Introspection);
    }

    private static void ValidateKeys(ConfigurationErrors errors, string path, TokenSchemeOptions scheme)
    {
        errors.Require(scheme.ExpectedIssuer.Length > 0, $"{path}:{nameof(scheme.Issuer)}", "is missing.", "Write the 'iss' of the tokens, such as 'https://login.example.org'.");
        errors.Require(scheme.Audience.Length > 0, $"{path}:{nameof(scheme.Audience)}", "is missing.", "Write the 'aud' of the tokens meant for this service.");
        errors.Require(scheme.JwksUri.Length == 0 || IsHttp(scheme.JwksUri), $"{path}:{nameof(scheme.JwksUri)}", "is no URL of a key set.", UrlFix);
        errors.Require(scheme.Authority.Length == 0 || IsHttp(scheme.Authority), $"{path}:{nameof(scheme.Authority)}", "is no URL of an issuer.", UrlFix);
        errors.Require(scheme.JwksFile.Length == 0 || File.Exists(scheme.JwksFile), $"{path}:{nameof(scheme.JwksFile)}",
            $"there is no file '{scheme.JwksFile}' that this process can read.", "Write the full path of a file with a JWK Set.");
    }

    private static void ValidateIntrospection(ConfigurationErrors errors, string path, IntrospectionOptions options)
    {
        errors.Require(IsHttp(options.Endpoint), $"{path}:{nameof(options.Endpoint)}", "is no URL.", UrlFix);
        errors.Require(options.ClientId.Length > 0, $"{path}:{nameof(options.ClientId)}", "is missing.", "Write the name by which the provider knows this gateway.");
        // The secret itself is never repeated.
        errors.Require(options.ClientSecret.Length > 0, $"{path}:{nameof(options.ClientSecret)}", "is missing.",
            $"Write the secret, or set it in the environment as {path.Replace(":", "__", StringComparison.Ordinal)}__{nameof(options.ClientSecret)}.");
        errors.Require(options.Timeout >= MinTimeout && options.Timeout <= MaxTimeout, $"{path}:{nameof(options.Timeout)}",
            $"'{options.Timeout}' is out of range.", "Write 00:00:00.100 to 00:00:30.");
        errors.Require(options.UseWhileUnavailable >= TimeSpan.Zero && options.UseWhileUnavailable <= TimeSpan.FromDays(1), $"{path}:{nameof(options.UseWhileUnavailable)}",
            $"'{options.UseWhileUnavailable}' is out of range.", "Write 00:00:00 to 1.00:00:00.");
    }

    private static bool IsHttp(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0;
}
