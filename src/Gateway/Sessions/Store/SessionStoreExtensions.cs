using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;
using Gateway.Redis;
using Gateway.Sessions.Keys;
using Gateway.Sessions.Store.SignIn;
using Gateway.Sessions.Store.State;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Gateway.Sessions.Store;

/// <summary>
/// Sessions in Redis, shared by all nodes, for an ASP.NET Core application with or without YARP: of signed-in users, and
/// behind <c>ISession</c>. Needs <c>Redis:Configuration</c>.
/// </summary>
public static class SessionStoreExtensions
{
    /// <summary>
    /// Adds the store (the sections <c>Sessions:Store</c> and <c>Redis</c>), <see cref="SubjectSessions"/>, and DataProtection
    /// keys that all nodes share.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The application's configuration, which is read at once for the certificate of the keys.</param>
    /// <param name="applicationName">What the nodes that read each other's cookies have in common, and others have not.</param>
    public static IServiceCollection AddSessionStore(this IServiceCollection services, IConfiguration configuration, string applicationName)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentException.ThrowIfNullOrEmpty(applicationName);
        services.AddGatewayRedis();
        services.AddChangeLog();
        services.AddValidatedSection<SessionsOptions, SessionsOptionsValidator>(SessionsOptions.SectionName);
        services.TryAddSingleton<SessionsMetrics>();
        services.AddSharedDataProtection(configuration.GetSection(SessionsOptions.SectionName), applicationName);
        services.AddSingleton<SessionStore>();
        services.AddHostedService<EndedSessionsWatch>();
        services.AddSingleton(provider => new SubjectSessions(provider.GetRequiredService<SessionStore>()));
        return services;
    }

    /// <summary>
    /// Keeps the tickets of a cookie scheme in the store. Its window is <c>ExpireTimeSpan</c>, which slides where
    /// <c>SlidingExpiration</c> says so; the cookie holds an id, which is another one after each sign-in. While Redis is away,
    /// a request goes on as that of nobody, and is answered 503 where it needs to be somebody's.
    /// </summary>
    /// <param name="services">The services, to which <see cref="AddSessionStore"/> added the store.</param>
    /// <param name="scheme">The scheme. <c>EventsType</c> must not be set on it.</param>
    public static IServiceCollection AddStoredSignIn(this IServiceCollection services, string scheme = CookieAuthenticationDefaults.AuthenticationScheme)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IPostConfigureOptions<CookieAuthenticationOptions>>(provider => ActivatorUtilities.CreateInstance<StoredSignIn>(provider, scheme));
    }

    /// <summary>Adds <c>ISession</c>, kept in the store: in place of <c>AddSession</c>.</summary>
    /// <param name="services">The services, to which <see cref="AddSessionStore"/> added the store.</param>
    /// <param name="configure">Changes to the options; <c>IOTimeout</c> is not used, <c>Redis:Deadline</c> is.</param>
    public static IServiceCollection AddStoredSession(this IServiceCollection services, Action<SessionOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSession(configure ?? (_ => { }));
        services.Replace(ServiceDescriptor.Singleton<ISessionStore, StoredStateProvider>());
        return services;
    }

    /// <summary>Answers 503 with <c>Retry-After</c> where a session is needed and Redis is away. Before authentication, and after what handles exceptions.</summary>
    public static IApplicationBuilder UseSessionStore(this IApplicationBuilder app) => app.UseMiddleware<SessionStoreMiddleware>();

    /// <summary>Gives each request its <c>ISession</c>: in place of <c>UseSession</c>. While Redis is away, a request that uses it is answered 503.</summary>
    public static IApplicationBuilder UseStoredSession(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseSessionStore();
        app.UseSession();
        return app.UseMiddleware<StoredStateMiddleware>();
    }
}
