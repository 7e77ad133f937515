using System.Threading.RateLimiting;
using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;
using Gateway.RateLimiting.Concurrency;
using Gateway.RateLimiting.Leasing;
using Gateway.RateLimiting.Lists;
using Gateway.RateLimiting.Local;
using Gateway.RateLimiting.Ranking;
using Gateway.Redis;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.RateLimiting;

/// <summary>Adds rate limits over all nodes to an ASP.NET Core application, with or without YARP.</summary>
public static class RateLimitingExtensions
{
    /// <summary>
    /// Adds what <see cref="UseGatewayRateLimiting"/> needs: the section <c>RateLimiter</c> (<see cref="RateLimitingOptions"/>),
    /// Redis (the section <c>Redis</c>; absent, an embedded server), and the change log.
    /// </summary>
    public static IServiceCollection AddGatewayRateLimiting(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddGatewayRedis();
        services.AddChangeLog();
        services.AddValidatedSection<RateLimitingOptions, RateLimitingOptionsValidator>(RateLimitingOptions.SectionName);
        services.AddSingleton<RateLimitPolicies>();
        services.AddSingleton<RequestCharges>();
        services.AddSingleton<IdentityBudget>();
        services.AddSingleton<RateLimitCounters>();
        services.AddSingleton<BlockedClients>();
        services.AddSingleton<RateLimitingMetrics>();
        services.AddSingleton<ClientLists>();
        services.AddSingleton<LimitedClients>();
        services.AddSingleton<NodeShare>();
        services.AddSingleton<LocalLimits>();
        services.AddHostedSingleton<HeldPermits>();
        services.AddHostedSingleton<LeasedPermits>();
        services.AddHostedSingleton<RateLimitSynchronizer>();
        // YARP looks the names in RateLimiterPolicy up among ASP.NET Core's own policies, which never run here.
        services.AddSingleton(PolicyNameRegistration.OfKeys(
            $"{RateLimitingOptions.SectionName}:{nameof(RateLimitingOptions.Policies)}",
            static (provider, name) => provider.GetRequiredService<IOptions<RateLimiterOptions>>().Value
                .AddPolicy(name, static _ => RateLimitPartition.GetNoLimiter(string.Empty)),
            nameof(RouteConfig.RateLimiterPolicy)));
        return services;
    }

    /// <summary>
    /// Limits the endpoints that name a policy, by YARP's <c>RateLimiterPolicy</c> or by
    /// <see cref="Microsoft.AspNetCore.RateLimiting.EnableRateLimitingAttribute"/>: put it after routing, authentication and
    /// authorization, and before a cache, so that hits count.
    /// </summary>
    public static IApplicationBuilder UseGatewayRateLimiting(this IApplicationBuilder app) => app.UseMiddleware<RateLimitingMiddleware>();

    private static void AddHostedSingleton<TService>(this IServiceCollection services)
        where TService : class, IHostedService
    {
        services.AddSingleton<TService>();
        services.AddHostedService(provider => provider.GetRequiredService<TService>());
    }
}
