using Gateway.ChangeLog;

namespace Gateway.Sessions.Store;

/// <summary>
/// The right of a request with a session: until the session is ended. Redis is asked only when the change log says that
/// one like it has ended. That it is not used while a connection is open does not end it here.
/// </summary>
internal sealed class SessionGrant(SessionKey session, SessionStore store, SharedChangeLog log) : RequestGrant
{
    private readonly Selector[] _selectors = [EndedSessions.SelectorOf(session.Subject)];
    private ChangeStamp _stamp = log.Stamp;

    public override async ValueTask<bool> IsWithdrawnAsync(CancellationToken cancellationToken)
    {
        if (log.Check(_stamp, _selectors) == ChangeVerdict.Current)
            return false;
        var stamp = log.Stamp;
        try
        {
            var sessions = await store.ListAsync(session.Subject, cancellationToken);
            _stamp = stamp;
            return sessions.All(other => other.Id != session.Hash);
        }
        catch (SessionStoreUnavailableException)
        {
            // It is asked again within a second.
            return false;
        }
    }
}
