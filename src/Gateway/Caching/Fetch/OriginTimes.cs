using System.Collections.Concurrent;

namespace Gateway.Caching.Fetch;

/// <summary>How long the origin usually takes, per route: a moving average. Routes come from the configuration, so there are few.</summary>
internal sealed class OriginTimes
{
    private const double Weight = 0.2;

    private readonly ConcurrentDictionary<string, double> _milliseconds = new(StringComparer.Ordinal);

    public void Add(string routeId, TimeSpan time) => _milliseconds.AddOrUpdate(
        routeId,
        static (_, latest) => latest,
        static (_, average, latest) => average + (Weight * (latest - average)),
        time.TotalMilliseconds);

    /// <summary>Whether the usual time reaches <paramref name="threshold"/>; a route without history does.</summary>
    public bool Reaches(string routeId, TimeSpan threshold) =>
        !_milliseconds.TryGetValue(routeId, out var average) || average >= threshold.TotalMilliseconds;
}
