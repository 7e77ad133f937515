using System.Globalization;
using System.Net;
using System.Security.Claims;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Sessions.Store;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Sessions;

/// <summary>An ASP.NET Core application without YARP whose users sign in, on a real socket; several share one Redis.</summary>
internal sealed class SignInApp : IAsyncDisposable
{
    public const string CookieName = "shop-session";

    private readonly WebApplication _app;

    private SignInApp(WebApplication app, CapturedLog log)
    {
        (_app, Log) = (app, log);
        Client = GatewayNode.CreateClient(new Uri(app.Urls.Single()));
    }

    public HttpClient Client { get; }

    public CapturedLog Log { get; }

    public IServiceProvider Services => _app.Services;

    /// <param name="redis">A connection string.</param>
    /// <param name="cookie">Changes to the cookie scheme.</param>
    /// <param name="logging">Changes to what is logged.</param>
    /// <param name="settings">More of the configuration, as <c>Sessions:Store:MaxPerSubject=2</c>.</param>
    public static async Task<SignInApp> StartAsync(string redis, Action<CookieAuthenticationOptions>? cookie = null, Action<ILoggingBuilder>? logging = null, params string[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var log = new CapturedLog();
        builder.Logging.ClearProviders().AddProvider(log);
        logging?.Invoke(builder.Logging);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Concat([["Redis:Configuration", redis], ["Redis:Deadline", "00:00:02"]])
            .Select(setting => KeyValuePair.Create(setting[0], (string?)setting[1])));
        builder.Services.AddSessionStore(builder.Configuration, "shop");
        builder.Services.AddStoredSignIn();
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options =>
        {
            options.Cookie.Name = CookieName;
            options.ExpireTimeSpan = TimeSpan.FromMinutes(10);
            cookie?.Invoke(options);
        });

        var app = builder.Build();
        app.UseSessionStore();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapPost("/sign-in/{user}", (string user, HttpContext context, bool keep = false) => context.SignInAsync(
            new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, user), new Claim(ClaimTypes.Name, user)], "password")),
            new AuthenticationProperties { IsPersistent = keep }));
        app.MapPost("/sign-out", (HttpContext context) => context.SignOutAsync());
        app.MapGet("/me", (ClaimsPrincipal user) => user.Identity!.Name).RequireAuthorization();
        app.MapGet("/anyone", (ClaimsPrincipal user) => user.Identity?.Name ?? "nobody");
        app.MapGet("/events", (HttpContext context) => OpenStream.SendAsync(context)).RequireAuthorization();
        await app.StartAsync();
        return new SignInApp(app, log);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}

/// <summary>A browser: one cookie for all nodes of the application.</summary>
internal sealed class Browser
{
    public string? Cookie { get; set; }

    /// <summary>Whether the last answer set a cookie.</summary>
    public bool WasSet { get; private set; }

    public DateTimeOffset? CookieExpires { get; private set; }

    public async Task SignInAsync(SignInApp app, string user = "alice", bool keep = false)
    {
        using var response = await SendAsync(app, HttpMethod.Post, $"/sign-in/{user}?keep={keep}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(WasSet);
    }

    public async Task<HttpStatusCode> StatusAsync(SignInApp app, string path = "/me")
    {
        using var response = await SendAsync(app, HttpMethod.Get, path);
        return response.StatusCode;
    }

    public async Task<HttpResponseMessage> SendAsync(SignInApp app, HttpMethod method, string path, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(method, path);
        if (Cookie is not null)
            request.Headers.Add("Cookie", $"{SignInApp.CookieName}={Cookie}");
        var response = await app.Client.SendAsync(request, until);
        WasSet = response.Headers.TryGetValues("Set-Cookie", out var set);
        if (WasSet)
            Take(set!.Single());
        return response;
    }

    private void Take(string set)
    {
        var parts = set.Split("; ");
        var value = parts[0].Split('=', 2)[1];
        Cookie = value.Length > 0 ? value : null;
        CookieExpires = parts.FirstOrDefault(part => part.StartsWith("expires=", StringComparison.OrdinalIgnoreCase)) is { } expires
            ? DateTimeOffset.Parse(expires["expires=".Length..], CultureInfo.InvariantCulture)
            : null;
    }
}
