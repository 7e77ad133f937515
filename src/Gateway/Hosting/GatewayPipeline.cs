using Gateway.Admin;
using Gateway.Caching;
using Gateway.Caching.Explain;
using Gateway.Caching.Invalidation;
using Gateway.RateLimiting;
using Gateway.Sessions;
using Gateway.ShortLinks;
using Gateway.Tokens;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Timeouts;
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

        // 3. Who is asking, for which host: fields of trusted proxies only, allowed hosts only, no identity but our own. What
        // Connection names ends here, but not before it was read who asks: a client must not take that from a trusted proxy.
        app.UseForwardedHeaders();
        app.UseHostFiltering();
        app.UseMessageGuard();
        app.UseIdentityFieldGuard();

        // 4. Which route.
        app.UseRouting();
        app.UseFor<RequestTimeoutAttribute>(timeouts => timeouts.UseRequestTimeouts());
        app.UseFor<ICorsMetadata>(cors => cors.UseCors());

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

    private static void UseIdentity(IApplicationBuilder app) => app.UseFor<IAuthorizeData>(identity =>
    {
        var known = app.ApplicationServices.GetRequiredService<KnownTokens>();
        identity.UseWhere(context => !known.TryIdentify(context), unknown =>
        {
            unknown.UseAuthentication();
            unknown.UseAuthorization();
        });
        identity.UseIdentityFields();
    });

    // Most routes ask for none of these middlewares, and each costs a hit more than finding that out.
    private static void UseFor<TMetadata>(this IApplicationBuilder app, Action<IApplicationBuilder> configure)
        where TMetadata : class =>
        app.UseWhere(context => context.GetEndpoint()?.Metadata.GetMetadata<TMetadata>() is not null, configure);

    // The framework's UseWhen, but for what is marked as used: WebApplication does not add that once more, for all requests.
    private static void UseWhere(this IApplicationBuilder app, Func<HttpContext, bool> applies, Action<IApplicationBuilder> configure)
    {
        var branch = app.New();
        configure(branch);
        foreach (var (key, value) in branch.Properties)
            app.Properties.TryAdd(key, value);
        app.Use(next =>
        {
            branch.Run(next);
            var whole = branch.Build();
            return context => applies(context) ? whole(context) : next(context);
        });
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
