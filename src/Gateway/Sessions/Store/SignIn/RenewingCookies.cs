using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Gateway.Sessions.Store.SignIn;

/// <summary>
/// Writes the new id of a session into the cookie. The handler keeps a session's id when somebody who brings one signs in,
/// and leaves a ticket store no way to say that it is another one now.
/// </summary>
internal sealed class RenewingCookies(ICookieManager cookies, CookieAuthenticationOptions options) : ICookieManager
{
    public string? GetRequestCookie(HttpContext context, string key) => cookies.GetRequestCookie(context, key);

    public void AppendResponseCookie(HttpContext context, string key, string? value, CookieOptions options) =>
        cookies.AppendResponseCookie(context, key, context.Features.Get<RenewedSession>() is { } renewed ? Renew(value, renewed) : value, options);

    public void DeleteCookie(HttpContext context, string key, CookieOptions options) => cookies.DeleteCookie(context, key, options);

    private string? Renew(string? value, RenewedSession renewed)
    {
        if (options.TicketDataFormat.Unprotect(value) is not { } ticket
            || ticket.Principal.Claims.FirstOrDefault(claim => claim.Value == renewed.Old) is not { } claim)
            return value;
        var identity = new ClaimsIdentity(
            [new Claim(claim.Type, renewed.New, claim.ValueType, claim.Issuer)], ticket.Principal.Identity?.AuthenticationType);
        return options.TicketDataFormat.Protect(new AuthenticationTicket(new ClaimsPrincipal(identity), null, ticket.AuthenticationScheme));
    }
}
