using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

internal sealed class TelemetryOptionsValidator : IValidateOptions<TelemetryOptions>
{
    public ValidateOptionsResult Validate(string? name, TelemetryOptions options)
    {
        var errors = new ConfigurationErrors();
        errors.Require(
            options.OtlpEndpoint is null or { IsAbsoluteUri: true, Scheme: "http" or "https" },
            $"{TelemetryOptions.SectionName}:{nameof(options.OtlpEndpoint)}", $"'{options.OtlpEndpoint}' is no absolute http or https URL.",
            "Write one such as 'http://localhost:4317'.");
        return errors.ToResult();
    }
}
