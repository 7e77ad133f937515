using Microsoft.AspNetCore.Builder;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A sample backend in this process on a real loopback socket, with the scripted origin switched on.</summary>
public sealed class Storefront : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Storefront(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.Single());
        Client = NewClient();
    }

    public Uri Address { get; }

    /// <summary>Asks this backend directly; keeps no cookies and follows no redirects.</summary>
    public HttpClient Client { get; }

    /// <param name="settings">More settings, as <c>"Redis:Configuration=localhost:6379"</c>.</param>
    public static Task<Storefront> StartAsync(params string[] settings) => StartAsync(TimeProvider.System, settings);

    public static async Task<Storefront> StartAsync(TimeProvider time, params string[] settings)
    {
        string[] common = ["--urls=http://127.0.0.1:0", "--Script:Enabled=true", "--Logging:LogLevel:Default=Critical", "--Catalog:SlowDelay=00:00:00"];
        var app = global::SampleBackend.Program.Build([.. common, .. settings.Select(setting => "--" + setting)], time);
        await app.StartAsync();
        return new Storefront(app);
    }

    /// <summary>A client with cookies of its own.</summary>
    public HttpClient NewClient(System.Net.CookieContainer? cookies = null) => new(new SocketsHttpHandler
    {
        UseCookies = cookies is not null,
        CookieContainer = cookies ?? new(),
        AllowAutoRedirect = false,
    })
    {
        BaseAddress = Address,
        Timeout = TimeSpan.FromSeconds(20),
    };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
