namespace Gateway.Sessions.Store;

/// <summary>The sessions of signed-in users, for applications that list and end them. On all nodes alike.</summary>
public sealed class SubjectSessions
{
    private readonly SessionStore _store;

    internal SubjectSessions(SessionStore store) => _store = store;

    /// <summary>Lists a subject's sessions, the oldest first.</summary>
    /// <param name="subject">As the principal names it: its claim <c>NameIdentifier</c> or <c>sub</c>, else its name.</param>
    /// <param name="cancellationToken">Ends the wait for Redis.</param>
    /// <exception cref="SessionStoreUnavailableException">Redis does not answer.</exception>
    public async Task<IReadOnlyList<SubjectSession>> ListAsync(string subject, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        return await _store.ListAsync(SessionId.SubjectOf(subject), cancellationToken);
    }

    /// <summary>Ends a subject's sessions: no node accepts them when this returns, and their open connections are closed within about a second.</summary>
    /// <param name="subject">As for <see cref="ListAsync"/>.</param>
    /// <param name="id">The <see cref="SubjectSession.Id"/> of one session; null: all of them.</param>
    /// <param name="cancellationToken">Ends the wait for Redis.</param>
    /// <returns>How many there were.</returns>
    /// <exception cref="SessionStoreUnavailableException">Redis does not answer: they may have ended or not.</exception>
    public async Task<int> EndAsync(string subject, string? id = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        var (count, isTold) = await _store.EndAsync(SessionId.SubjectOf(subject), id, cancellationToken);
        return isTold ? count : throw new SessionStoreUnavailableException();
    }
}

/// <summary>One of a subject's sessions.</summary>
/// <param name="Id">What it is called here: not what its cookie holds, and of no use to a thief.</param>
/// <param name="Created">When it began, by the clock of Redis.</param>
/// <param name="Expires">When it ends unless it is used; exact to a quarter of its window.</param>
public sealed record SubjectSession(string Id, DateTimeOffset Created, DateTimeOffset Expires);
