using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;

namespace Gateway.ShortLinks;

internal static class ShortLinksExtensions
{
    /// <summary>Adds short links, and Redis and the change log where they were not added.</summary>
    public static IServiceCollection AddShortLinks(this IServiceCollection services)
    {
        services.AddChangeLog();
        services.AddValidatedSection<ShortLinksOptions, ShortLinksOptionsValidator>(ShortLinksOptions.SectionName);
        services.AddSingleton<LinkStore>();
        services.AddSingleton<LinkLookup>();
        services.AddSingleton<LinkEditor>();
        services.AddSingleton<LinkRanking>();
        services.AddSingleton<ShortHosts>();
        services.AddSingleton<VisitCounts>();
        services.AddSingleton<ShortLinksMetrics>();
        services.AddSingleton<ShortLinkHandler>();
        services.AddSingleton<ShortLinkEndpoints>();
        // After the change log and Redis, so that it is stopped before them; the web server, added last, is stopped first.
        services.AddSingleton<VisitDelivery>();
        services.AddHostedService(provider => provider.GetRequiredService<VisitDelivery>());
        return services;
    }

    /// <summary>Answers <c>GET</c> and <c>HEAD {prefix}/{slug}</c>, before the routes of YARP.</summary>
    public static void MapShortLinks(this IEndpointRouteBuilder endpoints) =>
        endpoints.DataSources.Add(endpoints.ServiceProvider.GetRequiredService<ShortLinkEndpoints>());
}
