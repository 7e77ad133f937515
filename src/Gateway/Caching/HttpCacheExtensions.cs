using Gateway.Caching.Explain;
using Gateway.Caching.Fetch;
using Gateway.Caching.Invalidation;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;
using Gateway.Redis;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Caching;

/// <summary>Adds the shared HTTP cache to an ASP.NET Core application, with or without YARP.</summary>
public static class HttpCacheExtensions
{
    private const string ConnectionName = "cache";

    /// <summary>
    /// Adds what <see cref="UseHttpCache"/> needs: the section <c>OutputCache</c> (<see cref="HttpCacheOptions"/>), memory,
    /// Redis (<c>Redis:Configuration</c>; absent, the cache is this process's alone), and the change log.
    /// </summary>
    public static IServiceCollection AddHttpCache(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddChangeLog();
        services.AddValidatedSection<HttpCacheOptions, HttpCacheOptionsValidator>(HttpCacheOptions.SectionName);
        services.AddRedisConnection(ConnectionName, static provider => OptionsOf(provider).Redis);

        services.AddSingleton<HttpCachePolicies>();
        services.AddSingleton<HttpCacheMetrics>();
        services.AddSingleton(static provider => new MemoryStore(OptionsOf(provider).MemoryLimit));
        services.AddSingleton(static provider => new RedisStore(
            provider.GetRequiredKeyedService<RedisConnection>(ConnectionName), provider.GetRequiredService<RedisKeys>(), OptionsOf(provider).RedisBodyLimit));
        services.AddSingleton<ResponseStore>();
        services.AddSingleton(static provider => new RecordingBudget(OptionsOf(provider).RecordingLimit));
        services.AddSingleton(static provider => new WaitingRequests(OptionsOf(provider).MaxWaitingRequests));
        services.AddSingleton<OriginTimes>();
        services.AddSingleton<FetchServices>();
        services.AddSingleton<CacheDecisions>();
        services.AddSingleton<FetchTable>();
        services.AddSingleton<NodeLocks>();
        services.AddHostedService(static provider => provider.GetRequiredService<NodeLocks>());
        services.AddSingleton<FetchLock>();
        services.AddSingleton<CacheExplainer>();
        services.AddSingleton<ExplainPipeline>();
        services.AddSingleton<UnsafeMethodInvalidation>();
        services.AddSingleton<ITransformProvider, ConnectionFields>();

        // YARP's validator takes hold of the table of names once, and finds none if no policy exists by then.
        services.AddOptions<OutputCacheOptions>().Configure<IOptions<HttpCacheOptions>>(static (known, options) =>
        {
            foreach (var name in HttpCachePolicies.NamesIn(options.Value))
                AddName(known, name);
        });
        services.AddSingleton(PolicyNameRegistration.OfKeys(
            $"{HttpCacheOptions.SectionName}:{nameof(HttpCacheOptions.Policies)}",
            static (provider, name) => AddName(provider.GetRequiredService<IOptions<OutputCacheOptions>>().Value, name),
            nameof(RouteConfig.OutputCachePolicy),
            HttpCachePolicies.Origin));
        return services;
    }

    /// <summary>
    /// Puts the cache into the pipeline: after routing, authentication and authorization, before the endpoints. It
    /// caches the endpoints that name a policy: by YARP's <c>OutputCachePolicy</c>, or by <see cref="OutputCacheAttribute"/>.
    /// </summary>
    public static IApplicationBuilder UseHttpCache(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var store = app.ApplicationServices.GetRequiredService<ResponseStore>();
        app.ApplicationServices.GetRequiredService<SharedChangeLog>().EpochChanged += store.ClearMemory;
        return app.UseMiddleware<HttpCacheMiddleware>();
    }

    /// <summary>
    /// Caches an endpoint, or those of a group, as an <see cref="OutputCacheAttribute"/> on a controller does. What an endpoint
    /// does not say by <c>Cache-Control</c>, the policy has to, by <see cref="HttpCachePolicyOptions.DefaultTtl"/>. ASP.NET
    /// Core's <c>CacheOutput()</c> is its own middleware's, and nothing to this one.
    /// </summary>
    /// <param name="builder">What <c>MapGet</c> and the like returned.</param>
    /// <param name="policy">A name in <c>OutputCache:Policies</c>; default <c>origin</c>. One that does not exist fails the first request.</param>
    public static TBuilder WithHttpCache<TBuilder>(this TBuilder builder, string policy = HttpCachePolicies.Origin)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new OutputCacheAttribute { PolicyName = policy });

    // YARP looks the names in OutputCachePolicy up among ASP.NET Core's own policies, which never run here.
    private static void AddName(OutputCacheOptions known, string name) => known.AddPolicy(name, static policy => policy.NoCache(), excludeDefaultPolicy: true);

    private static HttpCacheOptions OptionsOf(IServiceProvider provider) => provider.GetRequiredService<IOptions<HttpCacheOptions>>().Value;
}
