using Gateway.IntegrationTests.Infrastructure;
using Gateway.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class StandaloneTests
{
    [Fact]
    public async Task An_application_without_YARP_limits_its_endpoints()
    {
        await using var redis = await RedisServer.StartAsync();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Redis:Configuration"] = redis.ConnectionString,
            ["RateLimiter:Policies:api:LegacyFields"] = "true",
            ["RateLimiter:Policies:api:Limits:0:Name"] = "one",
            ["RateLimiter:Policies:api:Limits:0:PermitLimit"] = "2",
            ["RateLimiter:Policies:api:Limits:0:Window"] = "01:00:00",
        });
        builder.Services.AddGatewayRateLimiting();
        await using var app = builder.Build();
        app.UseRouting();
        app.UseGatewayRateLimiting();
        app.MapGet("/limited", () => "limited").RequireRateLimiting("api");
        app.MapGet("/free", () => "free");
        app.MapGet("/exempt", () => "exempt").RequireRateLimiting("api").DisableRateLimiting();
        await app.StartAsync();

        using var client = GatewayNode.CreateClient(new Uri(app.Urls.Single()));
        var statuses = new List<int>();
        foreach (var path in new[] { "/limited", "/limited", "/limited", "/free", "/exempt" })
        {
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
            statuses.Add((int)response.StatusCode);
            Assert.Equal(path == "/limited", response.Headers.Contains("RateLimit"));
            Assert.Equal(path == "/limited", response.Headers.Contains("X-RateLimit-Remaining"));
        }

        Assert.Equal([200, 200, 429, 200, 200], statuses);
    }
}
