using Gateway.Redis;

namespace Gateway.ChangeLog;

internal static class ChangeLogExtensions
{
    /// <summary>Adds the <see cref="SharedChangeLog"/> and its poller, and Redis where it was not added.</summary>
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
        return services;
    }
}
