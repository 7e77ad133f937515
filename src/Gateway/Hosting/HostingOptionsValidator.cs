using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

internal sealed class HostingOptionsValidator : IValidateOptions<HostingOptions>
{
    public ValidateOptionsResult Validate(string? name, HostingOptions options)
    {
        var errors = new ConfigurationErrors();
        const string section = HostingOptions.SectionName;
        errors.Require(options.DrainSeconds is >= 0 and <= 600, $"{section}:{nameof(options.DrainSeconds)}",
            $"'{options.DrainSeconds}' is out of range.", "Write 0 to 600.");
        errors.Require(options.ShutdownTimeoutSeconds is >= 1 and <= 3600, $"{section}:{nameof(options.ShutdownTimeoutSeconds)}",
            $"'{options.ShutdownTimeoutSeconds}' is out of range.", "Write 1 to 3600.");
        return errors.ToResult();
    }
}
