namespace Gateway.Sessions.Store;

/// <summary>The session store: see <see cref="SessionStoreExtensions"/>.</summary>
public sealed class SessionStoreOptions
{
    internal const int MostPerSubject = 100;

    /// <summary>
    /// The longest that a session lasts, however much it is used: 1 second to 366 days, default 30 days. Its sliding window
    /// is the cookie's <c>ExpireTimeSpan</c>, or the <c>IdleTimeout</c> of <c>ISession</c>. Holds for sessions begun later.
    /// </summary>
    public TimeSpan AbsoluteTimeout { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How many sessions a subject has at once: 1 to 100, default 10. A further sign-in ends the oldest one.</summary>
    public int MaxPerSubject { get; set; } = 10;
}
