using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;
using Gateway.Sessions.Affinity;
using Gateway.Sessions.Drain;
using Gateway.Sessions.Keys;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Yarp.ReverseProxy.SessionAffinity;

namespace Gateway.Sessions;

internal static class SessionsExtensions
{
    /// <summary>Adds the session affinity policy <c>Redis</c>, drains of destinations and DataProtection keys shared by all nodes; Redis and the change log where they were not added.</summary>
    public static IServiceCollection AddGatewaySessions(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddChangeLog();
        services.AddValidatedSection<SessionsOptions, SessionsOptionsValidator>(SessionsOptions.SectionName);
        services.AddSingleton<SessionsMetrics>();
        services.AddSingleton<KnownSessions>();
        services.AddSingleton<AffinityRecords>();
        services.AddSingleton<AffinityCookie>();
        services.AddSingleton<ISessionAffinityPolicy, RedisAffinityPolicy>();
        services.AddSingleton<DrainedDestinations>();
        services.AddSharedDataProtection(configuration.GetSection(SessionsOptions.SectionName));
        services.AddHostedService<SessionsSynchronizer>();
        return services;
    }

    /// <summary>YARP's own steps, with those of sessions between them: use it as the argument of <c>MapReverseProxy</c>.</summary>
    public static void UseGatewaySessions(this IReverseProxyApplicationBuilder proxy)
    {
        proxy.UseSessionAffinity();
        proxy.UseMiddleware<DestinationDrainMiddleware>();
        proxy.UseLoadBalancing();
        proxy.UseMiddleware<AffinityMoveMiddleware>();
        proxy.UsePassiveHealthChecks();
    }

    private static void AddSharedDataProtection(this IServiceCollection services, IConfigurationSection section)
    {
        var protection = services.AddDataProtection().SetApplicationName("Gateway");
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
    }
}
