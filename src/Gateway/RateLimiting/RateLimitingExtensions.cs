using Gateway.Hosting.Configuration;
using Gateway.Redis;

namespace Gateway.RateLimiting;

internal static class RateLimitingExtensions
{
    /// <summary>Adds rate limits counted in Redis, and Redis where it was not added.</summary>
    public static IServiceCollection AddGatewayRateLimiting(this IServiceCollection services)
    {
        services.AddGatewayRedis();
        services.AddValidatedSection<RateLimitingOptions, RateLimitingOptionsValidator>(RateLimitingOptions.SectionName);
        services.AddSingleton<RateLimitPolicies>();
        services.AddSingleton<RateLimitCounters>();
        services.AddSingleton<BlockedClients>();
        services.AddSingleton<RateLimitingMetrics>();
        return services;
    }

    /// <summary>Limits the endpoints that name a policy: after routing, authentication and authorization, before the cache, so that hits count.</summary>
    public static IApplicationBuilder UseGatewayRateLimiting(this IApplicationBuilder app) => app.UseMiddleware<RateLimitingMiddleware>();
}
