using Gateway.Hosting;
using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Admin;

internal sealed class AdminOptionsValidator : IValidateOptions<AdminOptions>
{
    private const string UrlsPath = $"{AdminOptions.SectionName}:{nameof(AdminOptions.Urls)}";
    private const string KeyPath = $"{AdminOptions.SectionName}:{nameof(AdminOptions.ApiKey)}";

    public ValidateOptionsResult Validate(string? name, AdminOptions options)
    {
        var errors = new ConfigurationErrors();
        var urls = Listeners.Split(options.Urls);
        errors.Require(urls.Length > 0, UrlsPath, "is empty.", "Write a URL such as 'http://localhost:8081'.");
        foreach (var url in urls)
            RequireUrl(errors, url, hasKey: !string.IsNullOrEmpty(options.ApiKey));

        // The key itself is never repeated.
        errors.Require(options.ApiKey is null or { Length: >= 16 }, KeyPath, "is too short to be a secret.", "Write at least 16 random characters.");
        return errors.ToResult();
    }

    private static void RequireUrl(ConfigurationErrors errors, string url, bool hasKey)
    {
        if (!Listeners.IsUrl(url))
        {
            errors.Add(UrlsPath, $"'{url}' is no URL to listen on.", "Write one such as 'http://localhost:8081'.");
            return;
        }

        errors.Require(hasKey || Listeners.IsLocal(url), KeyPath,
            $"is absent, but '{url}' can be reached from other machines.",
            "Write a key of at least 16 random characters, or listen on 'http://localhost:8081'.");
    }
}
