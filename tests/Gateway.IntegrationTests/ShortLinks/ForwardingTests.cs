using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>What visitors add to a link, what they are, and what they see when it is over.</summary>
public sealed class ForwardingTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private GatewayNode _node = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, ForwardPaths = true, FlushInterval = "00:00:00.100", UnknownPerMinute = 0 });
    }

    public async Task DisposeAsync()
    {
        Assert.Empty(_node.Log.Exceptions);
        await _node.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Query_and_path_are_passed_on_by_links_that_say_so()
    {
        await _node.CreateAsync(new { slug = "none", target = "https://shop.example/docs" });
        await _node.CreateAsync(new { slug = "query", target = "https://shop.example/docs?ref=go", forwardQuery = true });
        await _node.CreateAsync(new { slug = "both", target = "https://shop.example/docs", forwardQuery = true, forwardPath = true });

        Assert.Equal("https://shop.example/docs", await LocationAsync("/s/none?a=1"));
        Assert.Null(await LocationAsync("/s/none/more"));
        Assert.Equal("https://shop.example/docs?ref=go&a=%2F", await LocationAsync("/s/query?a=%2F&ref=evil"));
        Assert.Null(await LocationAsync("/s/query/more"));
        Assert.Equal("https://shop.example/docs", await LocationAsync("/s/both"));
        Assert.Equal("https://shop.example/docs/a%20b/c?x=1", await LocationAsync("/s/both/a%20b/c?x=1"));
        Assert.Equal("https://shop.example/docs/%C3%A4", await LocationAsync("/%73/both/%C3%A4"));
    }

    [Theory]
    [InlineData("/s/open/@evil.example")]
    [InlineData("/s/open/.evil.example")]
    [InlineData("/s/open//evil.example")]
    [InlineData("/s/open/%2f%2fevil.example")]
    [InlineData("/s/open/%5c%5cevil.example")]
    [InlineData("/s/open/..%2f..%2fa")]
    [InlineData("/s/open/%252e%252e/a")]
    [InlineData("/s/open/..;/a")]
    [InlineData("/s/open/a%0d%0aSet-Cookie:%20a=b")]
    [InlineData("/s/open?a=%0d%0aSet-Cookie:%20a=b")]
    [InlineData("/s/open?@evil.example/")]
    [InlineData("/x/../s/open/a")]
    [InlineData("http://evil.example/s/open/a")]
    [InlineData("/s/open/\\evil.example")]
    [InlineData("/s/open/\\\\evil.example/..")]
    [InlineData("/s/open/%09//evil.example")]
    [InlineData("/s/open/%c0%ae%c0%ae/a")]
    [InlineData("/s/open/%u002e%u002e/a")]
    [InlineData("/s/open/%ef%bc%8f%ef%bc%8fevil.example")]
    [InlineData("/s/open/.%2e/.%2e/a")]
    [InlineData("/s/open/..%00/a")]
    [InlineData("/s/open/%2e%2e;a=1/a")]
    [InlineData("/s/open/:80@evil.example/")]
    [InlineData("/s/open/%")]
    [InlineData("/s/open/%zz%")]
    [InlineData("/s/open?%")]
    [InlineData("/s/open?#@evil.example/")]
    [InlineData("/s/open?\\@evil.example/")]
    [InlineData("/s/op%65n/x")]
    [InlineData("/s/open%2f..%2fx")]
    [InlineData("//s/open/x")]
    [InlineData("/s//open//evil.example")]
    [InlineData("//evil.example/s/open/x")]
    [InlineData("/s/./open/x")]
    public async Task Nothing_that_is_passed_on_leaves_the_targets_origin(string requestTarget)
    {
        await _node.CreateAsync(new { slug = "open", target = "https://shop.example", forwardQuery = true, forwardPath = true });

        // Raw: a client library would tidy the target up.
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, _node.PublicAddress.Port);
        await using var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {requestTarget} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        var lines = (await reader.ReadToEndAsync()).Split("\r\n");

        Assert.DoesNotContain(lines, line => line.StartsWith("Set-Cookie", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("500", lines[0], StringComparison.Ordinal);
        if (Array.Find(lines, line => line.StartsWith("Location: ", StringComparison.Ordinal)) is { } location)
            Assert.Equal("shop.example", new Uri(location["Location: ".Length..]).Host);
    }

    [Fact]
    public async Task A_path_that_would_make_a_link_lead_to_a_link_is_not_followed()
    {
        await _node.CreateAsync(new { slug = "home", target = "http://go.example/", forwardPath = true });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/s/home/s/home") { Headers = { Host = "go.example" } };

        Assert.Equal(HttpStatusCode.LoopDetected, (await _node.Public.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Bots_and_browsers_that_load_ahead_are_redirected_without_being_counted()
    {
        await _node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        await _node.CreateAsync(new { slug = "once", target = LinkTestNode.Target, maxVisits = 1 });
        (string, string)[] uncounted = [("User-Agent", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"), ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch")];

        foreach (var field in uncounted)
        {
            Assert.Equal(HttpStatusCode.Found, await FollowAsync(_node, "oak", field));
            Assert.Equal(HttpStatusCode.Found, await FollowAsync(_node, "once", field));
        }

        Assert.Equal(0, await _node.VisitsAsync("oak"));
        Assert.Equal(HttpStatusCode.Found, (await _node.FollowAsync("once")).StatusCode);
        Assert.Equal(HttpStatusCode.Gone, await FollowAsync(_node, "once", uncounted[0]));

        await using var strict = await LinkTestNode.StartAsync(_redis, new { Enabled = true, CountBots = true });
        await _node.CreateAsync(new { slug = "strict", target = LinkTestNode.Target, maxVisits = 1 });
        Assert.Equal(HttpStatusCode.Found, await FollowAsync(strict, "strict", uncounted[0]));
        Assert.Equal(HttpStatusCode.Gone, await FollowAsync(strict, "strict", uncounted[0]));
    }

    [Fact]
    public async Task Visitors_of_a_link_that_is_over_get_its_own_URL_or_the_page_of_all_links()
    {
        var page = Path.GetTempFileName();
        await File.WriteAllTextAsync(page, "<!doctype html><title>Over</title>");
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, ExpiredPage = page });
        await using var elsewhere = await LinkTestNode.StartAsync(_redis, new { Enabled = true, ExpiredTarget = "https://shop.example/all" });
        await node.CreateAsync(new { slug = "own", target = LinkTestNode.Target, expiresAt = "2020-01-01T00:00:00Z", expiredTarget = "https://shop.example/over" });
        await node.CreateAsync(new { slug = "past", target = LinkTestNode.Target, expiresAt = "2020-01-01T00:00:00Z" });
        await node.CreateAsync(new { slug = "used", target = LinkTestNode.Target, maxVisits = 1, visits = 1 });

        Assert.Equal("https://shop.example/over", (await node.FollowAsync("own")).Headers.Location!.OriginalString);
        foreach (var slug in new[] { "past", "used" })
        {
            var answer = await node.FollowAsync(slug);
            Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
            Assert.Equal("<!doctype html><title>Over</title>", await answer.Content.ReadAsStringAsync());
            Assert.Equal("no-store", answer.CacheControl());
            Assert.Equal("https://shop.example/all", (await elsewhere.FollowAsync(slug)).Headers.Location!.OriginalString);
        }

        File.Delete(page);
    }

    [Fact]
    public async Task A_client_that_guesses_slugs_is_refused_whatever_it_asks_for_next()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, UnknownPerMinute = 5 });
        await node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.Found, (await node.FollowAsync("oak")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await node.FollowAsync($"guess-{i}")).StatusCode);
        }

        foreach (var slug in new[] { "guess", "oak" })
        {
            var refused = await node.FollowAsync(slug);
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
            Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        }
    }

    private static async Task<HttpStatusCode> FollowAsync(GatewayNode node, string slug, (string Name, string Value) field)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/s/{slug}");
        request.Headers.TryAddWithoutValidation(field.Name, field.Value);
        using var answer = await node.Public.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task<string?> LocationAsync(string path)
    {
        using var answer = await _node.Public.GetAsync(path);
        return answer.Headers.Location?.OriginalString;
    }
}
