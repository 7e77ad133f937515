using Gateway.Admin;
using Gateway.Caching;
using Gateway.Caching.Explain;
using Gateway.Caching.Invalidation;
using Gateway.RateLimiting;
using Gateway.Sessions;
using Gateway.ShortLinks;
using Gateway.Tokens;
using Gateway.Tokens.Revocations;
using Microsoft.Extensions.Options;

namespace Gateway.Hosting;

/// <summary>The order in which a request meets the parts of the gateway. Nothing else decides it.</summary>
internal static class GatewayPipeline
{
    public static void UseGatewayPipeline(this WebApplication app)
    {
        // 1. Failures become problem+json; a draining node ends its connections.
        app.UseMiddleware<ProblemMiddleware>();
        app.UseDraining();

        // 2. The admin listener: a world of its own. No route, limit or cache of the public side applies to it.
        app.UseAdmin(admin =>
        {
            admin.MapNodeAdmin();
            admin.MapConfigurationAdmin();
            admin.MapHttpCacheAdmin();
            admin.MapHttpCacheExplain();
            admin.MapShortLinksAdmin();
            admin.MapSessionsAdmin();
            admin.MapTokensAdmin();
            admin.MapRateLimitsAdmin();
        });

        // 3. Who is asking, for which host: fields of trusted proxies only, allowed hosts only, no identity but our own.
        app.UseForwardedHeaders();
        app.UseHostFiltering();
        app.UseIdentityFieldGuard();

        // 4. Which route.
        app.UseRouting();
        app.UseRequestTimeouts();
        app.UseCors();

        // 5. Identity, and what it may do.
        UseIdentity(app);

        // 6. Rate limits: after identity, before the cache, so that hits count.
        app.UseGatewayRateLimiting();

        // 7. HTTP cache.
        app.UseHttpCache();

        // 8. The endpoint: a short link, a route of YARP (affinity, drains, load balancing, moves, forwarder), health.
        app.MapShortLinks();
        app.MapReverseProxy(proxy => proxy.UseGatewaySessions());
        if (app.Services.GetRequiredService<IOptions<HostingOptions>>().Value.PublicHealth)
            app.MapHealth();

        // What the cache would do with a request, without a client: steps 4 and 5, then the decisions of step 7.
        app.Services.GetRequiredService<ExplainPipeline>().Build(app, UseIdentity);
    }

    private static void UseIdentity(IApplicationBuilder app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseIdentityFields();
    }

    private static void UseDraining(this WebApplication app)
    {
        var draining = app.Services.GetRequiredService<Draining>();
        app.Use((context, next) =>
        {
            draining.CloseConnection(context);
            return next(context);
        });
    }
}
