using Gateway.ChangeLog;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace Gateway.Sessions.Store.SignIn;

/// <summary>Makes a cookie scheme keep its tickets in the session store, and say so when it cannot.</summary>
internal sealed class StoredSignIn(string scheme, SessionStore store, OpenRequests open, SharedChangeLog log, TimeProvider time) : IPostConfigureOptions<CookieAuthenticationOptions>
{
    public void PostConfigure(string? name, CookieAuthenticationOptions options)
    {
        if (name != scheme)
            return;
        options.SessionStore = new SessionTickets(store, options, open, log, time);
        options.CookieManager = new RenewingCookies(options.CookieManager ?? new ChunkingCookieManager(), options);

        var events = options.Events;
        var (redirect, signOut, slide) = (events.OnRedirectToLogin, events.OnSigningOut, events.OnCheckSlidingExpiration);
        // Signing in could not succeed either: the page that was asked for can be had again, once Redis answers.
        events.OnRedirectToLogin = context => IsUnread(context.HttpContext) || !store.HasKeys ? SessionStoreMiddleware.AnswerAsync(context.HttpContext) : redirect(context);
        // Without this the cookie would be deleted, and a copy of it be good until the session expires.
        events.OnSigningOut = context => IsUnread(context.HttpContext) ? throw new SessionStoreUnavailableException() : signOut(context);
        events.OnCheckSlidingExpiration = context =>
        {
            context.ShouldRenew = SessionTickets.IsMoved(context.Properties);
            return slide(context);
        };
    }

    private static bool IsUnread(HttpContext context) => context.Features.Get<UnreadSession>() is not null;
}
