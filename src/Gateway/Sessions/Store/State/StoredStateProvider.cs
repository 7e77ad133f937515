using Microsoft.AspNetCore.Session;

namespace Gateway.Sessions.Store.State;

/// <summary>What ASP.NET Core's session middleware asks for sessions; it reads and sets the cookie, which it protects.</summary>
internal sealed class StoredStateProvider(SessionStore store) : ISessionStore
{
    public ISession Create(string sessionKey, TimeSpan idleTimeout, TimeSpan ioTimeout, Func<bool> tryEstablishSession, bool isNewSessionKey) =>
        new StoredState(store, sessionKey, idleTimeout, tryEstablishSession, isNewSessionKey);
}
