using Gateway.Redis;
using Gateway.Sessions;
using Gateway.Sessions.Store;
using Microsoft.AspNetCore.DataProtection;

namespace SampleBackend.Cart;

/// <summary>
/// The session that holds the cart: in the gateway's session store, so that all backends share it and the keys that protect
/// its cookie. Without <c>Redis:Configuration</c> both live in this process.
/// </summary>
internal static class CartExtensions
{
    private static readonly PathString CartPath = "/cart";

    public static void AddCart(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        if (IsShared(builder.Configuration))
        {
            services.AddSessionStore(builder.Configuration, applicationName: "storefront");
            services.AddStoredSession(Configure);
            services.AddOptions<RedisOptions>().ValidateOnStart();
            services.AddOptions<SessionsOptions>().ValidateOnStart();
        }
        else
        {
            services.AddDistributedMemoryCache();
            services.AddSession(Configure);
            services.AddDataProtection().UseEphemeralDataProtectionProvider();
        }
    }

    public static void UseCartSession(this WebApplication app) =>
        app.UseWhen(context => context.Request.Path.StartsWithSegments(CartPath), cart => _ = IsShared(app.Configuration) ? cart.UseStoredSession() : cart.UseSession());

    private static bool IsShared(IConfiguration configuration) => configuration["Redis:Configuration"] is { Length: > 0 };

    private static void Configure(SessionOptions session)
    {
        session.Cookie.Name = "storefront-session";
        session.Cookie.HttpOnly = true;
        session.Cookie.IsEssential = true;
        session.Cookie.SameSite = SameSiteMode.Lax;
        session.IdleTimeout = TimeSpan.FromMinutes(20);
    }
}
