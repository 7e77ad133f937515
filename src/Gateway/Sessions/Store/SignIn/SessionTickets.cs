using System.Security.Claims;
using Gateway.ChangeLog;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Gateway.Sessions.Store.SignIn;

/// <summary>
/// Keeps the tickets of cookie sign-in in the session store. The window of a session is moved when its ticket is read;
/// the handler is only made to set the cookie anew where that has an expiry of its own.
/// </summary>
internal sealed class SessionTickets(
    SessionStore store, CookieAuthenticationOptions options, OpenRequests open, SharedChangeLog log, TimeProvider time) : ITicketStore
{
    // On tickets that come from here: those that a sign-in brings have properties of their own.
    private const string Mark = ".session";

    /// <summary>Whether a ticket was read here, and its window moved by that.</summary>
    public static bool IsMoved(AuthenticationProperties properties) => properties.Items.TryGetValue(Mark, out var moved) && moved == "moved";

    public Task<string> StoreAsync(AuthenticationTicket ticket) => StoreAsync(ticket, CancellationToken.None);

    public async Task<string> StoreAsync(AuthenticationTicket ticket, CancellationToken cancellationToken)
    {
        var properties = ticket.Properties;
        var id = SessionId.New(SubjectOf(ticket.Principal));
        var lifetime = properties.ExpiresUtc - properties.IssuedUtc ?? options.ExpireTimeSpan;
        var slides = options.SlidingExpiration && (properties.AllowRefresh ?? true);
        await store.CreateAsync(SessionKey.Of(id), Serialize(ticket), lifetime, slides, cancellationToken);
        return id.Reveal();
    }

    public Task<AuthenticationTicket?> RetrieveAsync(string key) => throw new NotSupportedException("Call it with the request.");

    public async Task<AuthenticationTicket?> RetrieveAsync(string key, HttpContext httpContext, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(key, out var id))
            return null;
        var session = SessionKey.Of(id);
        // Before the session is read: what ends it from here on is noticed.
        var grant = new SessionGrant(session, store, log);
        var reply = await store.ReadAsync(session, cancellationToken);
        if (!reply.TryGet(out var stored))
            httpContext.Features.Set(UnreadSession.Instance);
        if (stored is null || Deserialize(stored) is not { } ticket)
            return null;
        open.Watch(httpContext, grant);
        return ticket;
    }

    public Task RenewAsync(string key, AuthenticationTicket ticket) => throw new NotSupportedException("Call it with the request.");

    /// <summary>
    /// Called for a ticket that was refreshed, and for a sign-in by somebody who brings a session. The latter gets a new id:
    /// else whoever planted the old one would be signed in too (session fixation).
    /// </summary>
    public async Task RenewAsync(string key, AuthenticationTicket ticket, HttpContext httpContext, CancellationToken cancellationToken)
    {
        if (!SessionId.TryParse(CurrentOf(key, httpContext), out var id))
            return;
        var subject = SubjectOf(ticket.Principal);
        if (ticket.Properties.Items.ContainsKey(Mark) && (subject is null || SessionId.SubjectOf(subject) == id.Subject))
        {
            await RefreshAsync(id, ticket, cancellationToken);
            return;
        }

        // The old one first: should the other step fail, nobody is signed in by it.
        await store.EndAsync(id.Subject, id.Hash, cancellationToken);
        httpContext.Features.Set(new RenewedSession(key, await StoreAsync(ticket, cancellationToken)));
    }

    public Task RemoveAsync(string key) => RemoveAsync(key, CancellationToken.None);

    public Task RemoveAsync(string key, HttpContext httpContext, CancellationToken cancellationToken) =>
        RemoveAsync(CurrentOf(key, httpContext), cancellationToken);

    public async Task RemoveAsync(string key, CancellationToken cancellationToken)
    {
        if (SessionId.TryParse(key, out var id))
            await store.EndAsync(id.Subject, id.Hash, cancellationToken);
    }

    private static string CurrentOf(string key, HttpContext context) =>
        context.Features.Get<RenewedSession>() is { } renewed && renewed.Old == key ? renewed.New : key;

    private static string? SubjectOf(ClaimsPrincipal principal)
    {
        var subject = principal.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? principal.FindFirst("sub")?.Value ?? principal.Identity?.Name;
        return string.IsNullOrEmpty(subject) ? null : subject;
    }

    private static byte[] Serialize(AuthenticationTicket ticket) => TicketSerializer.Default.Serialize(ticket);

    private async ValueTask RefreshAsync(SessionId id, AuthenticationTicket ticket, CancellationToken cancellationToken)
    {
        try
        {
            await store.UpdateAsync(SessionKey.Of(id), Serialize(ticket), cancellationToken);
        }
        catch (SessionStoreUnavailableException)
        {
            // The handler calls this while the response begins, where nothing can be refused any more: the session stays as it was.
        }
    }

    private AuthenticationTicket? Deserialize(StoredContent stored)
    {
        if (TicketSerializer.Default.Deserialize(stored.Content) is not { } ticket)
            return null;
        // By this node's clock, with which the handler compares them.
        var now = time.GetUtcNow();
        ticket.Properties.IssuedUtc = now - stored.SinceMoved;
        ticket.Properties.ExpiresUtc = now + stored.Left;
        ticket.Properties.AllowRefresh = stored.IsMoved && ticket.Properties.IsPersistent;
        ticket.Properties.Items[Mark] = stored.IsMoved ? "moved" : "read";
        return ticket;
    }
}

/// <summary>On a request that gave a session a new id.</summary>
/// <param name="Old">The id that the handler goes by.</param>
/// <param name="New">The one that the cookie must hold.</param>
internal sealed record RenewedSession(string Old, string New);
