namespace Gateway.Sessions.Store;

/// <summary>
/// A session cannot be begun, changed or ended, because Redis does not answer. <see cref="SessionStoreExtensions.UseSessionStore"/>
/// turns it into 503 with <c>Retry-After</c>; applications can catch it and say it in their own way.
/// </summary>
public sealed class SessionStoreUnavailableException : Exception
{
    /// <summary>Creates the exception.</summary>
    public SessionStoreUnavailableException()
        : base("Sessions cannot be read or changed at the moment.")
    {
    }

    /// <summary>Creates the exception with another message.</summary>
    public SessionStoreUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with another message and its cause.</summary>
    public SessionStoreUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
