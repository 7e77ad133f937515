using System.Text.Json.Serialization;
using Gateway.Hosting;
using Gateway.Hosting.Configuration;

namespace Gateway.Admin;

internal static class AdminExtensions
{
    public static IServiceCollection AddAdmin(this IServiceCollection services)
    {
        services.AddValidatedSection<AdminOptions, AdminOptionsValidator>(AdminOptions.SectionName);
        services.AddSingleton<NodeStart>();
        // What is misspelt, or written twice, would ask for more than was meant: a key without end, a revocation in all schemes.
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            options.SerializerOptions.AllowDuplicateProperties = false;
        });
        services.AddOpenApi(options =>
        {
            options.ShouldInclude = description => description.ActionDescriptor.EndpointMetadata.Contains(AdminEndpoint.Instance);
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info.Title = "Gateway, admin listener";
                return Task.CompletedTask;
            });
        });
        return services;
    }

    /// <summary>
    /// Takes every request of the admin listener out of the pipeline and answers it from the admin endpoints:
    /// health, metrics, their description (<c>GET /openapi.json</c>), and those that <paramref name="map"/> adds. A feature offers
    /// <c>internal static void MapXAdmin(this IEndpointRouteBuilder admin)</c> for this.
    /// </summary>
    public static void UseAdmin(this WebApplication app, Action<IEndpointRouteBuilder> map) =>
        app.MapWhen(context => context.Features.Get<AdminConnection>() is not null, admin =>
        {
            admin.UseMiddleware<AdminAccessMiddleware>();
            admin.UseMiddleware<AdminAuditMiddleware>();
            admin.UseMiddleware<AdminCharsetMiddleware>();
            admin.UseRouting();
            admin.UseEndpoints(routes =>
            {
                var endpoints = routes.MapGroup("").WithMetadata(AdminEndpoint.Instance);
                endpoints.MapOpenApi("/openapi.json");
                endpoints.MapHealth();
                if (Telemetry.UsesPrometheus(app.Configuration))
                    endpoints.MapPrometheusScrapingEndpoint("/metrics");
                map(endpoints);
            });
        });
}

/// <summary>On every endpoint of the admin listener, and on no other: what its OpenAPI document describes.</summary>
internal sealed class AdminEndpoint
{
    public static readonly AdminEndpoint Instance = new();
}
