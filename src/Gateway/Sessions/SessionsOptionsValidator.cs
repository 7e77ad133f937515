using Gateway.Hosting.Configuration;
using Gateway.Sessions.Affinity;
using Gateway.Sessions.Keys;
using Microsoft.Extensions.Options;

namespace Gateway.Sessions;

internal sealed class SessionsOptionsValidator : IValidateOptions<SessionsOptions>
{
    private static readonly TimeSpan MinExpiry = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxExpiry = TimeSpan.FromDays(30);

    public ValidateOptionsResult Validate(string? name, SessionsOptions options)
    {
        var errors = new ConfigurationErrors();
        const string section = SessionsOptions.SectionName;
        errors.Require(options.AffinityExpiry >= MinExpiry && options.AffinityExpiry <= MaxExpiry, $"{section}:{nameof(options.AffinityExpiry)}",
            $"'{options.AffinityExpiry}' is out of range.", "Write 00:01:00 to 30.00:00:00.");
        foreach (var (cluster, source) in options.KeyFrom)
        {
            errors.Require(AffinityKeySource.TryParse(source, out _), $"{section}:{nameof(options.KeyFrom)}:{cluster}",
                $"'{source}' is unknown.", "Write Cookie, Header:name, Query:name or Claim:type.");
        }

        if (KeyCertificate.FindError(options.KeyCertificatePath, options.KeyCertificatePassword) is { } error)
            errors.Add($"{section}:{nameof(options.KeyCertificatePath)}", error, "Name a PKCS #12 file (.pfx) with an RSA certificate and its private key.");
        return errors.ToResult();
    }
}
