using Gateway.ChangeLog;
using Gateway.Hosting.Configuration;
using Gateway.ShortLinks.Passwords;
using Gateway.ShortLinks.Transfer;
using Gateway.ShortLinks.Visits;

namespace Gateway.ShortLinks;

internal static class ShortLinksExtensions
{
    /// <summary>Adds short links, and Redis and the change log where they were not added.</summary>
    public static IServiceCollection AddShortLinks(this IServiceCollection services)
    {
        services.AddChangeLog();
        services.AddValidatedSection<ShortLinksOptions, ShortLinksOptionsValidator>(ShortLinksOptions.SectionName);
        services.AddSingleton<LinkIndex>();
        services.AddSingleton<IdempotencyKeys>();
        services.AddSingleton<LinkStore>();
        services.AddSingleton<KnownTotals>();
        services.AddSingleton<VisitStore>();
        services.AddSingleton<LinkLookup>();
        services.AddSingleton<LinkEditor>();
        services.AddSingleton<LinkRanking>();
        services.AddSingleton<ShortHosts>();
        services.AddSingleton<VisitCounts>();
        services.AddSingleton<ShortLinksMetrics>();
        services.AddSingleton<SlugGuesses>();
        services.AddSingleton<PasswordHasher>();
        services.AddSingleton<PasswordGuesses>();
        services.AddSingleton<PasswordGate>();
        services.AddSingleton<ExpiredLinkPage>();
        services.AddSingleton<ShortLinkAnswers>();
        services.AddSingleton<LinkImport>();
        services.AddSingleton<LinkExport>();
        services.AddSingleton<ShortLinkHandler>();
        services.AddSingleton<ShortLinkEndpoints>();
        // After the change log and Redis, so that it is stopped before them; the web server, added last, is stopped first.
        services.AddSingleton<VisitDelivery>();
        services.AddHostedService(provider => provider.GetRequiredService<VisitDelivery>());
        services.AddHostedService<TotalsWriteBack>();
        return services;
    }

    /// <summary>Answers <c>GET</c> and <c>HEAD {prefix}/{slug}</c>, and the <c>POST</c> of a password, before the routes of YARP.</summary>
    public static void MapShortLinks(this IEndpointRouteBuilder endpoints) =>
        endpoints.DataSources.Add(endpoints.ServiceProvider.GetRequiredService<ShortLinkEndpoints>());
}
