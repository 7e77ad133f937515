namespace Gateway.Redis;

/// <summary>
/// How long this process did not get to run: stopped, held back by a quota, collecting garbage. An answer that it did not
/// see meanwhile need not have been late.
/// </summary>
internal sealed class StallWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long _last;
    private long _stalledTicks;

    public StallWatch(TimeProvider time)
    {
        _time = time;
        _last = time.GetTimestamp();
        _timer = time.CreateTimer(static self => ((StallWatch)self!).OnTick(), this, Interval, Interval);
    }

    /// <summary>All of it since the beginning, exact to <see cref="Interval"/>: shorter stalls are not seen.</summary>
    public TimeSpan Total => TimeSpan.FromTicks(Volatile.Read(ref _stalledTicks)) + Lateness(_time.GetTimestamp());

    public void Dispose() => _timer.Dispose();

    private void OnTick()
    {
        var now = _time.GetTimestamp();
        Interlocked.Add(ref _stalledTicks, Lateness(now).Ticks);
        Volatile.Write(ref _last, now);
    }

    private TimeSpan Lateness(long now)
    {
        var late = _time.GetElapsedTime(Volatile.Read(ref _last), now) - Interval;
        return late > Interval ? late : TimeSpan.Zero;
    }
}
