using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>The tags of every measurement and the tags, names and events of every activity in this process.</summary>
internal sealed class EverySignal : IDisposable
{
    private readonly ConcurrentDictionary<string, bool> _labels = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _traced = new(StringComparer.Ordinal);
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;

    public EverySignal()
    {
        _meters.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
        _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Measured(instrument, tags));
        _meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Measured(instrument, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Measured(instrument, tags));
        _meters.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Stopped,
        };
        ActivitySource.AddActivityListener(_activities);
    }

    /// <summary>Instruments with the tags that they were measured with.</summary>
    public ICollection<string> Labels
    {
        get
        {
            _meters.RecordObservableInstruments();
            return _labels.Keys;
        }
    }

    public ICollection<string> Traced => _traced.Keys;

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }

    private void Measured(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _labels[$"{instrument.Name} {Text(tags.ToArray())}"] = true;

    private void Stopped(Activity activity)
    {
        _traced[$"{activity.OperationName} {activity.DisplayName} {activity.StatusDescription} {Text(activity.TagObjects)} {Text(activity.Baggage.Select(item => KeyValuePair.Create(item.Key, (object?)item.Value)))}"] = true;
        foreach (var told in activity.Events)
            _traced[$"{told.Name} {Text(told.Tags)}"] = true;
    }

    private static string Text(IEnumerable<KeyValuePair<string, object?>> tags) => string.Join(' ', tags.Select(tag => $"{tag.Key}={tag.Value}"));
}
