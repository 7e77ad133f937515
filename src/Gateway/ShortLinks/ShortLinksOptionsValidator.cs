using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

internal sealed class ShortLinksOptionsValidator : IValidateOptions<ShortLinksOptions>
{
    private const int MaxPrefixLength = 64;
    private const int MaxPageSize = 1 << 20;

    // They run as code, or read what is on the visitor's own machine.
    private static readonly string[] ForbiddenSchemes =
        ["about", "blob", "chrome", "data", "file", "filesystem", "javascript", "jar", "ms-appx", "ms-settings", "res", "vbscript", "view-source"];

    public ValidateOptionsResult Validate(string? name, ShortLinksOptions options)
    {
        var errors = new ConfigurationErrors();
        const string section = ShortLinksOptions.SectionName;

        errors.Require(IsPrefix(options.Prefix), $"{section}:{nameof(options.Prefix)}", $"'{options.Prefix}' cannot begin the path of a link.",
            $"Write '/' and letters, digits, '-', '_', '.' or '~', such as /s; at most {MaxPrefixLength} characters.");
        errors.Require(options.Prefix.Length > 0 || options.Hosts.Count > 0, $"{section}:{nameof(options.Prefix)}",
            "is empty, so that links would take every path of every host.", $"Write a prefix such as /s, or name the links' own hosts in {section}:{nameof(options.Hosts)}.");
        Each(errors, options.Hosts, nameof(options.Hosts), IsHost, "is no host.", "Write a host such as go.example.com, or go.example.com:8443.");
        Each(errors, options.ReservedSlugs, nameof(options.ReservedSlugs), SlugRules.IsWellFormed, "can be no slug anyway.", SlugRules.Fix);
        Each(errors, options.AdditionalSchemes, nameof(options.AdditionalSchemes), IsScheme, "cannot be allowed.",
            "Write a scheme such as myapp, without a colon; none that runs as code or reads files.");
        errors.Require(options.ExpiredTarget is not { Length: > 0 } target || IsUrl(target), $"{section}:{nameof(options.ExpiredTarget)}",
            $"'{options.ExpiredTarget}' cannot be sent to.", "Write an absolute URL with http or https, such as https://example.com/expired.");
        errors.Require(options.ExpiredPage is not { Length: > 0 } page || IsPage(page), $"{section}:{nameof(options.ExpiredPage)}",
            $"'{options.ExpiredPage}' is no file that can be a page.", "Write the absolute path of an HTML file of at most 1 MiB.");
        Range(errors, nameof(options.UnknownPerMinute), options.UnknownPerMinute, 0, 100_000);
        Range(errors, nameof(options.PasswordAttempts), options.PasswordAttempts, 1, 200);
        Range(errors, nameof(options.GeneratedLength), options.GeneratedLength, 4, 32);
        Range(errors, nameof(options.FlushInterval), options.FlushInterval, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1));
        Range(errors, nameof(options.PermanentMaxAge), options.PermanentMaxAge, TimeSpan.Zero, TimeSpan.FromDays(366));
        Range(errors, nameof(options.UnknownFor), options.UnknownFor, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        Range(errors, nameof(options.MemoryLimit), options.MemoryLimit, 1L << 20, 1L << 34);
        return errors.ToResult();
    }

    private static void Each(ConfigurationErrors errors, IList<string> values, string key, Func<string, bool> isValid, string problem, string fix)
    {
        for (var i = 0; i < values.Count; i++)
            errors.Require(isValid(values[i]), $"{ShortLinksOptions.SectionName}:{key}:{i}", $"'{values[i]}' {problem}", fix);
    }

    private static void Range<T>(ConfigurationErrors errors, string key, T value, T least, T most)
        where T : IComparable<T> =>
        errors.Require(value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0, $"{ShortLinksOptions.SectionName}:{key}",
            $"'{value}' is out of range.", $"Write {least} to {most}.");

    private static bool IsPrefix(string prefix) =>
        prefix.Length == 0
        || (prefix.Length <= MaxPrefixLength && prefix[0] == '/' && prefix[1..].Split('/').All(IsSegment));

    // A segment of dots alone is resolved away by clients.
    private static bool IsSegment(string segment) =>
        segment.Trim('.').Length > 0 && segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~');

    // Routing takes a host and a port, parted by the only colon: no IPv6 addresses.
    private static bool IsHost(string text) =>
        text.Length is > 0 and <= 255
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or ':')
        && text.Count(c => c == ':') <= 1 && !text.EndsWith(':')
        && Uri.TryCreate($"http://{text}/", UriKind.Absolute, out var uri) && uri.PathAndQuery == "/";

    // The operator's own page may be in a private network.
    private static bool IsUrl(string text) => TargetRules.TryRead(text, new ShortLinksOptions { AllowPrivateTargets = true }, out _, out _);

    private static bool IsPage(string path) => Path.IsPathFullyQualified(path) && new FileInfo(path) is { Exists: true, Length: <= MaxPageSize };

    private static bool IsScheme(string scheme) =>
        Uri.CheckSchemeName(scheme) && !ForbiddenSchemes.Contains(scheme, StringComparer.OrdinalIgnoreCase);
}
