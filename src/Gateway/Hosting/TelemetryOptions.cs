namespace Gateway.Hosting;

/// <summary>Where metrics, traces and logs go besides the console.</summary>
public sealed class TelemetryOptions
{
    /// <summary>The configuration section, <c>Telemetry</c>.</summary>
    public const string SectionName = "Telemetry";

    /// <summary>
    /// An OTLP endpoint such as <c>http://localhost:4317</c>. Default: the variable <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>;
    /// without either nothing is exported or traced. The other <c>OTEL_</c> variables apply as OpenTelemetry defines
    /// them. A change needs a restart.
    /// </summary>
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>Whether the admin listener serves <c>/metrics</c> for Prometheus. Default: true. A change needs a restart.</summary>
    public bool Prometheus { get; set; } = true;
}
