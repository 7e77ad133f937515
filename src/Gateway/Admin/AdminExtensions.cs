using Gateway.Hosting;
using Gateway.Hosting.Configuration;

namespace Gateway.Admin;

internal static class AdminExtensions
{
    public static IServiceCollection AddAdmin(this IServiceCollection services)
    {
        services.AddValidatedSection<AdminOptions, AdminOptionsValidator>(AdminOptions.SectionName);
        services.AddSingleton<NodeStart>();
        return services;
    }

    /// <summary>
    /// Takes every request of the admin listener out of the pipeline and answers it from the admin endpoints:
    /// health, metrics, and those that <paramref name="map"/> adds. A feature offers
    /// <c>internal static void MapXAdmin(this IEndpointRouteBuilder admin)</c> for this.
    /// </summary>
    public static void UseAdmin(this WebApplication app, Action<IEndpointRouteBuilder> map) =>
        app.MapWhen(context => context.Features.Get<AdminConnection>() is not null, admin =>
        {
            admin.UseMiddleware<AdminAccessMiddleware>();
            admin.UseRouting();
            admin.UseEndpoints(endpoints =>
            {
                endpoints.MapHealth();
                if (Telemetry.UsesPrometheus(app.Configuration))
                    endpoints.MapPrometheusScrapingEndpoint("/metrics");
                map(endpoints);
            });
        });
}
