using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Gateway.Hosting;

/// <summary>OpenTelemetry: metrics for Prometheus, and metrics, traces and logs by OTLP where an endpoint is configured.</summary>
internal static class Telemetry
{
    private const string ServiceName = "gateway";

    /// <summary>Adds what <paramref name="configuration"/> asks for; without an OTLP endpoint no span is ever created.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder, IConfiguration configuration)
    {
        var section = configuration.GetSection(TelemetryOptions.SectionName);
        var prometheus = UsesPrometheus(configuration);
        var configured = section[nameof(TelemetryOptions.OtlpEndpoint)];
        var otlp = !string.IsNullOrEmpty(configured) || !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        if (!prometheus && !otlp)
            return;

        // The exporters' own options, so that OTEL_ variables apply as everywhere; ours wins where it is a URL.
        if (Uri.TryCreate(configured, UriKind.Absolute, out var endpoint))
            builder.Services.ConfigureAll<OpenTelemetry.Exporter.OtlpExporterOptions>(options => options.Endpoint = endpoint);

        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(ServiceName, autoGenerateServiceInstanceId: true))
            .WithMetrics(metrics => AddMeters(metrics, prometheus, otlp));
        if (!otlp)
            return;

        telemetry.WithTracing(tracing => tracing
            .AddSource(GatewayMeter.Name, "Yarp.ReverseProxy")
            .AddAspNetCoreInstrumentation()
            .AddHttpClientInstrumentation()
            .AddOtlpExporter());
        builder.Logging.AddOpenTelemetry(logging => logging.AddOtlpExporter());
    }

    public static bool UsesPrometheus(IConfiguration configuration) =>
        !string.Equals(
            configuration.GetSection(TelemetryOptions.SectionName)[nameof(TelemetryOptions.Prometheus)], "false", StringComparison.OrdinalIgnoreCase);

    private static void AddMeters(MeterProviderBuilder metrics, bool prometheus, bool otlp)
    {
        // What the framework counts for each of its middlewares costs a request more than the middlewares themselves:
        // of its meters those that say something a gateway's own do not.
        metrics.AddMeter(GatewayMeter.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "Yarp*")
            .AddView("http.server.active_requests", MetricStreamConfiguration.Drop)
            // Counted up and down for every request: a quarter of what it costs to forward one.
            .AddView("http.client.active_requests", MetricStreamConfiguration.Drop)
            .AddView("http.client.open_connections", MetricStreamConfiguration.Drop)
            .AddView("http.client.request.time_in_queue", MetricStreamConfiguration.Drop)
            .AddRuntimeInstrumentation();
        if (prometheus)
            metrics.AddPrometheusExporter();
        if (otlp)
            metrics.AddOtlpExporter();
    }
}
