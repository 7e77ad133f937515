using Gateway.Redis;

namespace Gateway.ChangeLog;

internal static class ChangeLogExtensions
{
    /// <summary>Adds the <see cref="SharedChangeLog"/> its poller and <see cref="OpenRequests"/>, and Redis where it was not added.</summary>
    public static IServiceCollection AddChangeLog(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(SharedChangeLog)))
            return services;

        services.AddGatewayRedis();
        services.AddSingleton<NodeIdentity>();
        services.AddSingleton<AppliedChanges>();
        services.AddSingleton<ChangeLease>();
        services.AddSingleton<LogContinuity>();
        services.AddSingleton<SharedChangeLog>();
        services.AddHostedService<ChangeLogPoller>();
        services.AddSingleton<OpenRequestsMetrics>();
        services.AddSingleton<OpenRequests>();
        services.AddHostedService(provider => provider.GetRequiredService<OpenRequests>());
        return services;
    }
}
