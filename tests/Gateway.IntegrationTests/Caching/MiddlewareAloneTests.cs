using System.Net;
using Gateway.Caching;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Caching;

/// <summary>The cache as the only part that an application takes: no YARP, no Redis.</summary>
public sealed class MiddlewareAloneTests
{
    [Fact]
    public async Task A_minimal_API_is_cached_and_invalidated()
    {
        var answers = 0;
        await using var app = await StartAsync(
            builder => builder.Services.AddHttpCache(),
            app =>
            {
                app.MapGet("/count", (HttpResponse response) =>
                {
                    response.Headers.CacheControl = "max-age=60";
                    return TypedResults.Text($"{++answers}");
                }).WithHttpCache();
                app.MapPost("/count", () => TypedResults.NoContent()).WithHttpCache("origin");
                app.MapGet("/uncached", () => TypedResults.Text($"{++answers}"));
            });
        using var client = GatewayNode.CreateClient(Address(app));

        Assert.Equal(("1", "Gateway; fwd=uri-miss; fwd-status=200; stored"), await GetAsync(client, "/count"));
        var hit = await GetAsync(client, "/count");
        Assert.Equal("1", hit.Body);
        Assert.StartsWith("Gateway; hit; ttl=", hit.Status, StringComparison.Ordinal);
        Assert.Equal(("2", ""), await GetAsync(client, "/uncached"));
        using (await client.PostAsync("/count", null))
        {
            // RFC 9111 §4.4
        }

        Assert.Equal("3", (await GetAsync(client, "/count")).Body);
        Assert.StartsWith("Gateway; hit", (await GetAsync(client, "/count")).Status, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_controller_is_cached()
    {
        await using var app = await StartAsync(
            builder =>
            {
                builder.Services.AddHttpCache();
                builder.Services.AddControllers().AddApplicationPart(typeof(TimeController).Assembly);
            },
            app => app.MapControllers());
        using var client = GatewayNode.CreateClient(Address(app));

        var first = await GetAsync(client, "/time/berlin");
        var second = await GetAsync(client, "/time/berlin");

        Assert.Equal(first.Body, second.Body);
        Assert.StartsWith("Gateway; hit", second.Status, StringComparison.Ordinal);
        Assert.NotEqual(first.Body, (await GetAsync(client, "/time/paris")).Body);
    }

    [Fact]
    public async Task Simultaneous_requests_share_one_answer_without_Redis_too()
    {
        var answers = 0;
        var hold = new TaskCompletionSource();
        await using var app = await StartAsync(
            builder => builder.Services.AddHttpCache(),
            app => app.MapGet("/slow", async (HttpResponse response) =>
            {
                Interlocked.Increment(ref answers);
                await hold.Task;
                response.Headers.CacheControl = "max-age=60";
                return TypedResults.Text("body");
            }).WithHttpCache());
        using var client = GatewayNode.CreateClient(Address(app));

        var requests = Enumerable.Range(0, 20).Select(_ => GetAsync(client, "/slow")).ToArray();
        await Eventually.TrueAsync(() => Volatile.Read(ref answers) == 1, "the first request arrives");
        hold.SetResult();

        Assert.All(await Task.WhenAll(requests), answer => Assert.Equal("body", answer.Body));
        Assert.Equal(1, answers);
    }

    private static async Task<WebApplication> StartAsync(Action<WebApplicationBuilder> add, Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        add(builder);
        var app = builder.Build();
        app.UseRouting();
        app.UseHttpCache();
        map(app);
        await app.StartAsync();
        return app;
    }

    private static Uri Address(WebApplication app) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    private static async Task<(string Body, string Status)> GetAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.TextAsync(), response.CacheStatus());
    }
}

/// <summary>As an MVC application writes it.</summary>
[ApiController]
[Route("time")]
public sealed class TimeController : ControllerBase
{
    private static int _count;

    [HttpGet("{city}")]
    [OutputCache(PolicyName = "origin")]
    [ResponseCache(Duration = 60)]
    public string Get(string city) => $"{city} {Interlocked.Increment(ref _count)}";
}
