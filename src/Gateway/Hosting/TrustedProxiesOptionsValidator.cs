using System.Net;
using Gateway.Hosting.Configuration;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

internal sealed class TrustedProxiesOptionsValidator : IValidateOptions<TrustedProxiesOptions>
{
    public ValidateOptionsResult Validate(string? name, TrustedProxiesOptions options)
    {
        var errors = new ConfigurationErrors();
        const string section = TrustedProxiesOptions.SectionName;
        for (var i = 0; i < options.KnownProxies.Count; i++)
        {
            errors.Require(IPAddress.TryParse(options.KnownProxies[i], out _), $"{section}:{nameof(options.KnownProxies)}:{i}",
                $"'{options.KnownProxies[i]}' is no IP address.", "Write one such as '10.0.0.7' or 'fd00::7'.");
        }

        for (var i = 0; i < options.KnownNetworks.Count; i++)
        {
            errors.Require(IPNetwork.TryParse(options.KnownNetworks[i], out _), $"{section}:{nameof(options.KnownNetworks)}:{i}",
                $"'{options.KnownNetworks[i]}' is no network.",
                "Write one such as '10.0.0.0/8', with no bits set behind the prefix.");
        }

        errors.Require(options.ForwardLimit is >= 1 and <= 100, $"{section}:{nameof(options.ForwardLimit)}",
            $"'{options.ForwardLimit}' is out of range.", "Write 1 to 100.");
        return errors.ToResult();
    }
}
