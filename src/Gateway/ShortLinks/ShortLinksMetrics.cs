using System.Diagnostics.Metrics;
using Gateway.ShortLinks.Visits;

namespace Gateway.ShortLinks;

internal sealed class ShortLinksMetrics
{
    private readonly Counter<long> _requests;
    private readonly Counter<long> _visits;

    public ShortLinksMetrics(IMeterFactory meters, LinkLookup lookup, VisitCounts counts, SlugGuesses guesses)
    {
        var meter = meters.Create(GatewayMeter.Name);
        _requests = meter.CreateCounter<long>(
            "gateway.short_links.requests", "{request}",
            "Requests for short links, by outcome (redirected, unknown, not_yet, expired, used_up, password_asked, password_wrong, password_limited, password_crowded, guessing, loop, method, unavailable).");
        _visits = meter.CreateCounter<long>(
            "gateway.short_links.visits", "{visit}", "Visits counted off the request path, by fate (delivered, lost).");
        meter.CreateObservableGauge("gateway.short_links.visits.waiting", () => counts.Waiting, "{visit}", "Visits that wait to be written to Redis.");
        meter.CreateObservableGauge("gateway.short_links.memory.links", () => lookup.LinkCount, "{link}", "Links kept in this process.");
        meter.CreateObservableGauge("gateway.short_links.memory.unknown", () => lookup.UnknownCount, "{slug}", "Slugs without a link remembered in this process.");
        meter.CreateObservableGauge(
            "gateway.short_links.memory.guessing_clients", () => guesses.ClientCount, "{client}", "Clients that asked for links that do not exist, remembered in this process.");
    }

    public void Answered(string outcome) => _requests.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Delivered(long visits) => _visits.Add(visits, new KeyValuePair<string, object?>("fate", "delivered"));

    public void Lost(long visits) => _visits.Add(visits, new KeyValuePair<string, object?>("fate", "lost"));
}
