using System.Diagnostics.Metrics;

namespace Gateway.Hosting;

internal sealed class HostingMetrics
{
    private readonly Counter<long> _loads;

    public HostingMetrics(IMeterFactory meters)
    {
        _loads = meters.Create(GatewayMeter.Name).CreateCounter<long>(
            "gateway.configuration.loads", "{load}", "Configurations that were put in force (accepted) or refused (rejected).");
    }

    public void ConfigurationAccepted() => _loads.Add(1, new KeyValuePair<string, object?>("result", "accepted"));

    public void ConfigurationRejected() => _loads.Add(1, new KeyValuePair<string, object?>("result", "rejected"));
}
