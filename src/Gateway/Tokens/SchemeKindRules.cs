using Gateway.Hosting.Configuration;
using Gateway.Tokens.ApiKeys;
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
            $"Write exactly one of {nameof(scheme.JwksUri)}, {nameof(scheme.Authority)}, {nameof(scheme.JwksFile)}, {nameof(scheme.Introspection)}:{nameof(IntrospectionOptions.Endpoint)}, or {nameof(scheme.ApiKeys)}:{nameof(ApiKeyOptions.Enabled)}.");
        if (scheme.Introspection.Endpoint.Length > 0)
            ValidateIntrospection(errors, $"{path}:{nameof(scheme.Introspection)}", scheme.Introspection);
        else if (scheme.ApiKeys.Enabled)
            ValidateApiKeys(errors, path, scheme);
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
        if (scheme.ApiKeys.Enabled)
            yield return nameof(scheme.ApiKeys);
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

    private static void ValidateApiKeys(ConfigurationErrors errors, string path, TokenSchemeOptions scheme)
    {
        var keys = scheme.ApiKeys;
        errors.Require(scheme.Issuer.Length == 0 && scheme.Audience.Length == 0, path, "has keys of its own, which have no issuer and no audience.",
            $"Remove {nameof(scheme.Issuer)} and {nameof(scheme.Audience)}.");
        errors.Require(IsField(keys.Field), $"{path}:{nameof(scheme.ApiKeys)}:{nameof(keys.Field)}",
            $"'{keys.Field}' is no request field for keys.", "Write a name of letters, digits and '-' such as 'X-Api-Key', or 'Authorization'; not Host or Cookie.");
        errors.Require(keys.Prefix.Length is >= 2 and <= 12 && char.IsAsciiLetterLower(keys.Prefix[0]) && keys.Prefix.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)),
            $"{path}:{nameof(scheme.ApiKeys)}:{nameof(keys.Prefix)}", $"'{keys.Prefix}' is no prefix for keys.", "Write 2 to 12 lower-case letters and digits, a letter first, such as 'gwk'.");
    }

    private static bool IsField(string name) =>
        name.Length is >= 1 and <= 64 && char.IsAsciiLetter(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
        && !name.Equals("Host", StringComparison.OrdinalIgnoreCase) && !name.Equals("Cookie", StringComparison.OrdinalIgnoreCase);

    private static bool IsHttp(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0;
}
