using SampleBackend.Hosting;

namespace SampleBackend.Identity;

/// <summary>An outage on request: until it is over, this provider answers nothing but 503.</summary>
internal sealed class Outage(TimeProvider time)
{
    public const int LongestSeconds = 300;

    private long _endTicks;

    /// <summary>How much of it is left, in whole seconds; 0 when there is none.</summary>
    public int Left => (int)Math.Ceiling(Math.Max(0, new TimeSpan(Volatile.Read(ref _endTicks) - time.GetUtcNow().UtcTicks).TotalSeconds));

    /// <summary>Begins one, or ends it by 0.</summary>
    public void Begin(int seconds) => Volatile.Write(ref _endTicks, time.GetUtcNow().AddSeconds(seconds).UtcTicks);

    /// <summary>Answers in the provider's place.</summary>
    public ValueTask<object?> FilterAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next) => Left is > 0 and var left
        ? ValueTask.FromResult<object?>(Problems.Unavailable(call.HttpContext, "An outage was asked for.", left))
        : next(call);
}
