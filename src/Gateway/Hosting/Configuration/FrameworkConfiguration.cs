using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging.Console;

namespace Gateway.Hosting.Configuration;

/// <summary>
/// Checks what ASP.NET Core reads itself. It would overlook a misspelt key, and throw at a wrong value: at start with a
/// stack trace, at a reload when other parts have taken the change already.
/// </summary>
internal static class FrameworkConfiguration
{
    private const string Logging = nameof(Logging);
    private const string LogLevel = nameof(LogLevel);
    private const string Kestrel = nameof(Kestrel);
    private const string Certificate = nameof(Certificate);

    private static readonly string[] Texts = ["AllowedHosts", "Urls"];
    private static readonly string[] CertificateFiles = ["Path", "KeyPath"];

    // The OpenTelemetry SDK reads its variables from every source.
    private const string OpenTelemetryPrefix = "OTEL_";

    /// <summary>The keys that ASP.NET Core and YARP read at the root of the configuration.</summary>
    public static IReadOnlyList<string> RootKeys { get; } =
    [
        "Urls", "AllowedHosts", "Logging", "Kestrel", "ReverseProxy", "ConnectionStrings", "HTTP_PORTS", "HTTPS_PORTS",
        "HTTPS_PORT", "Environment", "ApplicationName", "ContentRoot", "DetailedErrors", "CaptureStartupErrors", "PreferHostingUrls",
        "ShutdownTimeoutSeconds", "SuppressStatusMessages", "HostingStartupAssemblies", "ForwardedHeaders_Enabled", "StaticWebAssets",
    ];

    /// <summary>Whether <paramref name="key"/> can stand at the root beside the features' sections. What begins with no letter is a comment, as <c>_note</c>.</summary>
    public static bool IsRootKey(string key) =>
        (key is [var first, ..] && !char.IsLetter(first))
        || RootKeys.Contains(key, StringComparer.OrdinalIgnoreCase) || key.StartsWith(OpenTelemetryPrefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Adds to <paramref name="errors"/> what would be overlooked or thrown at.</summary>
    public static void Check(IConfiguration configuration, ICollection<string> errors)
    {
        foreach (var key in Texts.Where(key => configuration.GetSection(key).GetChildren().Any()))
            errors.Add($"{key}: holds more keys where one value belongs. Write one text, its parts separated by semicolons.");
        CheckLogging(configuration.GetSection(Logging), errors);
        CheckKestrel(configuration.GetSection(Kestrel), errors);
        foreach (var url in Listeners.Split(configuration["Urls"] ?? string.Empty))
            CheckUrl("Urls", url, errors);
    }

    private static void CheckLogging(IConfigurationSection logging, ICollection<string> errors)
    {
        // Logging:LogLevel is for all providers, Logging:<provider>:LogLevel for one.
        foreach (var levels in logging.GetChildren().Select(child => child.GetSection(LogLevel)).Prepend(logging.GetSection(LogLevel)))
            SectionShape.Check(levels, typeof(IReadOnlyDictionary<string, LogLevel?>), errors);

        var console = logging.GetSection("Console");
        SectionShape.CheckValues(console, typeof(ConsoleLoggerOptions), errors);
        SectionShape.CheckValues(console.GetSection("FormatterOptions"), typeof(SimpleConsoleFormatterOptions), errors);
    }

    private static void CheckKestrel(IConfigurationSection kestrel, ICollection<string> errors)
    {
        SectionShape.CheckValues(kestrel, typeof(KestrelServerOptions), errors);
        SectionShape.CheckValues(kestrel.GetSection("Limits"), typeof(KestrelServerLimits), errors);
        SectionShape.CheckValues(kestrel.GetSection("Limits:Http2"), typeof(Http2Limits), errors);
        SectionShape.CheckValues(kestrel.GetSection("Limits:Http3"), typeof(Http3Limits), errors);
        CheckEndpoint(kestrel.GetSection("EndpointDefaults"), errors);
        foreach (var endpoint in kestrel.GetSection("Endpoints").GetChildren())
        {
            CheckUrl($"{endpoint.Path}:Url", endpoint["Url"] ?? string.Empty, errors);
            CheckEndpoint(endpoint, errors);
        }

        foreach (var certificate in kestrel.GetSection("Certificates").GetChildren())
            CheckCertificate(certificate, errors);
    }

    private static void CheckEndpoint(IConfigurationSection endpoint, ICollection<string> errors)
    {
        CheckName<HttpProtocols>(endpoint, "Protocols", errors);
        CheckName<ClientCertificateMode>(endpoint, "ClientCertificateMode", errors);
        CheckCertificate(endpoint.GetSection(Certificate), errors);
        foreach (var host in endpoint.GetSection("Sni").GetChildren())
            CheckEndpoint(host, errors);
    }

    private static void CheckName<TEnum>(IConfigurationSection section, string key, ICollection<string> errors)
        where TEnum : struct, Enum
    {
        if (section[key] is { Length: > 0 } text && !EnumName.TryParse<TEnum>(text, out _))
            errors.Add($"{section.Path}:{key}: '{text}' is unknown. Write one of {string.Join(", ", Enum.GetNames<TEnum>())}.");
    }

    private static void CheckCertificate(IConfigurationSection certificate, ICollection<string> errors)
    {
        foreach (var key in CertificateFiles)
        {
            // Relative to the content root, as Kestrel reads them.
            if (certificate[key] is { Length: > 0 } path && !File.Exists(Path.Combine(AppContext.BaseDirectory, path)))
                errors.Add($"{certificate.Path}:{key}: the file '{path}' does not exist. Write the full path of a certificate or its key.");
        }
    }

    private static void CheckUrl(string path, string url, ICollection<string> errors)
    {
        if (!Listeners.IsUrl(url))
            errors.Add($"{path}: '{url}' is no URL to listen on. Write one such as '{Listeners.DefaultPublicUrl}'.");
    }
}
