using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Gateway.Sessions.Keys;

/// <summary>DataProtection whose keys all nodes share through Redis.</summary>
internal static class SharedDataProtection
{
    public static void AddSharedDataProtection(this IServiceCollection services, IConfigurationSection section, string applicationName)
    {
        var protection = services.AddDataProtection().SetApplicationName(applicationName);
        // A certificate that cannot be used is the validator's to report.
        var (path, password) = (section[nameof(SessionsOptions.KeyCertificatePath)], section[nameof(SessionsOptions.KeyCertificatePassword)]);
        if (!string.IsNullOrEmpty(path) && KeyCertificate.FindError(path, password) is null)
        {
            var certificate = KeyCertificate.Load(path, password);
            protection.ProtectKeysWithCertificate(certificate).UnprotectKeysWithAnyCertificate(certificate);
        }

        services.AddSingleton<KeyRepository>();
        services.AddOptions<KeyManagementOptions>().Configure<KeyRepository>((options, repository) => options.XmlRepository = repository);
        services.AddSingleton(provider => new SharedKeyManager(ActivatorUtilities.CreateInstance<XmlKeyManager>(provider)));
        services.AddSingleton<IKeyManager>(provider => provider.GetRequiredService<SharedKeyManager>());

        // The framework's service builds the ring before Redis was asked for keys: each start would add a key of its own.
        var builder = services.FirstOrDefault(service =>
            service.ServiceType == typeof(IHostedService) && service.ImplementationType?.Assembly == typeof(XmlKeyManager).Assembly);
        if (builder is not null)
            services.Remove(builder);
        services.AddHostedService<KeySynchronizer>();
    }
}
