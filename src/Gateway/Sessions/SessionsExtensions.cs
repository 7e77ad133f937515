using Gateway.Sessions.Affinity;
using Gateway.Sessions.Drain;
using Gateway.Sessions.Store;
using Yarp.ReverseProxy.SessionAffinity;

namespace Gateway.Sessions;

internal static class SessionsExtensions
{
    /// <summary>
    /// Adds the session affinity policy <c>Redis</c>, drains of destinations, the session store and DataProtection keys shared
    /// by all nodes; Redis and the change log where they were not added.
    /// </summary>
    public static IServiceCollection AddGatewaySessions(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSessionStore(configuration, applicationName: "Gateway");
        services.AddSingleton<KnownSessions>();
        services.AddSingleton<AffinityRecords>();
        services.AddSingleton<AffinityCookie>();
        services.AddSingleton<ISessionAffinityPolicy, RedisAffinityPolicy>();
        services.AddSingleton<DrainedDestinations>();
        services.AddHostedService<DrainSynchronizer>();
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

    /// <summary>Sessions on the admin listener: drains of destinations, and sessions of subjects.</summary>
    public static void MapSessionsAdmin(this IEndpointRouteBuilder admin)
    {
        admin.MapDrainsAdmin();
        admin.MapSubjectSessionsAdmin();
    }
}
