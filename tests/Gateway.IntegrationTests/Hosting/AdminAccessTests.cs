using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Hosting;

public sealed class AdminAccessTests
{
    private const string Key = "a-long-admin-key-0123456789";

    [Theory]
    [InlineData("Authorization", "Bearer " + Key, HttpStatusCode.OK)]
    [InlineData("X-Api-Key", Key, HttpStatusCode.OK)]
    [InlineData("Authorization", "Bearer wrong", HttpStatusCode.Unauthorized)]
    [InlineData("Authorization", "Basic " + Key, HttpStatusCode.Unauthorized)]
    [InlineData("X-Api-Key", "", HttpStatusCode.Unauthorized)]
    [InlineData("X-Unrelated", "1", HttpStatusCode.Unauthorized)]
    public async Task A_configured_key_is_demanded(string name, string value, HttpStatusCode expected)
    {
        await using var node = await GatewayNode.StartAsync(args: [$"--Admin:ApiKey={Key}"]);

        foreach (var path in new[] { "/", "/config", "/metrics", "/nothing-here" })
        {
            using var response = await SendAsync(node, path, (name, value));
            var wanted = expected == HttpStatusCode.OK && path == "/nothing-here" ? HttpStatusCode.NotFound : expected;
            Assert.Equal(wanted, response.StatusCode);
        }

        using var health = await SendAsync(node, "/healthz", (name, value));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Host", "evil.example")]
    [InlineData("Sec-Fetch-Site", "same-origin, cross-site")]
    [InlineData("Sec-Fetch-Site", "")]
    [InlineData("Origin", "https://localhost")]
    [InlineData("Origin", "http://localhost:1")]
    [InlineData("Host", "127.0.0.1.evil.example")]
    [InlineData("Host", "localhost.evil.example:8081")]
    [InlineData("Host", "localhost.")]
    [InlineData("Host", "0.0.0.0")]
    [InlineData("Host", "192.168.0.1:8081")]
    public async Task Without_a_key_no_web_page_gets_through(string name, string value)
    {
        await using var node = await GatewayNode.StartAsync();

        using var refused = await SendAsync(node, "/config", (name, value));
        using var allowed = await SendAsync(node, "/config");

        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "none")]
    [InlineData("Sec-Fetch-Site", "same-origin")]
    [InlineData("Host", "localhost")]
    [InlineData("Host", "LocalHost:8081")]
    [InlineData("Host", "[::1]:8081")]
    [InlineData("Host", "127.9.9.9")]
    public async Task Without_a_key_programs_on_this_machine_get_through(string name, string value)
    {
        await using var node = await GatewayNode.StartAsync();

        using var response = await SendAsync(node, "/config", (name, value));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    // What a form or a script can send anywhere without asking first, and what rebinding adds to it: a name of its own.
    [Theory]
    [InlineData("Origin", "null", "text/plain")]
    [InlineData("Origin", "http://evil.example", "application/x-www-form-urlencoded")]
    [InlineData("Host", "rebound.evil.example", "application/json")]
    public async Task A_web_page_changes_nothing(string name, string value, string contentType)
    {
        await using var node = await GatewayNode.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/cache/purge")
        {
            Content = new StringContent("""{"all":true}""", System.Text.Encoding.UTF8, contentType),
        };
        request.Headers.TryAddWithoutValidation(name, value);

        using var response = await node.Admin.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task The_key_is_shown_nowhere()
    {
        await using var node = await GatewayNode.StartAsync(args: [$"--Admin:ApiKey={Key}"]);

        foreach (var path in new[] { "/", "/config", "/metrics", "/openapi.json" })
        {
            using var response = await SendAsync(node, path, ("X-Api-Key", Key));
            Assert.DoesNotContain(Key, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_that_a_reload_takes_away_does_not_open_a_listener_bound_for_others()
    {
        await using var node = await GatewayNode.StartAsync($$"""{ "Admin": { "ApiKey": "{{Key}}" } }""", args: ["--Admin:Urls=http://0.0.0.0:0"]);

        var status = await node.ReloadAsync("{}");

        Assert.Contains("Admin:ApiKey: is absent", Assert.Single(status.LastErrors), StringComparison.Ordinal);
        using var response = await GatewayNode.CreateClient(new Uri($"http://127.0.0.1:{node.AdminAddress.Port}")).GetAsync("/config");
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    private static Task<HttpResponseMessage> SendAsync(GatewayNode node, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return node.Admin.SendAsync(request);
    }
}
