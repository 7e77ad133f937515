using Gateway.Hosting.Configuration;
using Gateway.Sessions.Affinity;
using Gateway.Sessions.Keys;
using Gateway.Sessions.Store;
using Microsoft.Extensions.Options;

namespace Gateway.Sessions;

internal sealed class SessionsOptionsValidator : IValidateOptions<SessionsOptions>
{
    private static readonly TimeSpan MinExpiry = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan MaxExpiry = TimeSpan.FromDays(30);
    private static readonly TimeSpan MinAbsoluteTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxAbsoluteTimeout = TimeSpan.FromDays(366);

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
        Check(options.Store, errors);
        return errors.ToResult();
    }

    private static void Check(SessionStoreOptions store, ConfigurationErrors errors)
    {
        const string section = $"{SessionsOptions.SectionName}:{nameof(SessionsOptions.Store)}";
        errors.Require(store.AbsoluteTimeout >= MinAbsoluteTimeout && store.AbsoluteTimeout <= MaxAbsoluteTimeout, $"{section}:{nameof(store.AbsoluteTimeout)}",
            $"'{store.AbsoluteTimeout}' is out of range.", "Write 00:00:01 to 366.00:00:00.");
        errors.Require(store.MaxPerSubject is >= 1 and <= SessionStoreOptions.MostPerSubject, $"{section}:{nameof(store.MaxPerSubject)}",
            $"'{store.MaxPerSubject}' is out of range.", $"Write 1 to {SessionStoreOptions.MostPerSubject}.");
    }
}
