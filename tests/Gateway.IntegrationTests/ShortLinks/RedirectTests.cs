using System.Net;
using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.ShortLinks;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.ShortLinks;

public sealed class RedirectTests : IAsyncLifetime
{
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(1);
    private static readonly string[] Hosts = ["go.example"];

    private RedisServer _redis = null!;
    private GatewayNode _a = null!;
    private GatewayNode _b = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _a = await LinkTestNode.StartAsync(_redis);
        _b = await LinkTestNode.StartAsync(_redis);
    }

    public async Task DisposeAsync()
    {
        Assert.Empty(_a.Log.Exceptions);
        Assert.Empty(_b.Log.Exceptions);
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_link_made_on_one_node_redirects_on_the_other_which_knew_it_did_not_exist()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await _b.FollowAsync("oak")).StatusCode);

        var created = await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("/links/oak", created.Headers.Location!.ToString());
        await Eventually.TrueAsync(
            async () => (await _b.FollowAsync("oak")).StatusCode == HttpStatusCode.Found, "the other node redirects", Spread);
        var answer = await _b.FollowAsync("oak");
        Assert.Equal(LinkTestNode.Target, answer.Headers.Location!.OriginalString);
        Assert.Equal("no-store", answer.CacheControl());
    }

    [Fact]
    public async Task A_slug_is_remembered_to_be_unknown_for_no_longer_than_configured()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, UnknownFor = "00:00:00.200", UnknownPerMinute = 0 });
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        Assert.Equal(HttpStatusCode.NotFound, (await node.FollowAsync("elm")).StatusCode);

        // No change log says so.
        await _redis.ExecuteAsync("COPY", "gateway:link:{oak}", "gateway:link:{elm}");

        await Eventually.TrueAsync(async () => (await node.FollowAsync("elm")).StatusCode == HttpStatusCode.Found, "the link is found", TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_change_and_a_removal_are_in_force_on_the_other_node_within_a_second()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        Assert.Equal(HttpStatusCode.Found, (await _b.FollowAsync("oak")).StatusCode);

        await _a.Admin.PutAsJsonAsync("/links/oak", new { target = "https://shop.example/2", status = 307 });
        Assert.Equal("https://shop.example/2", (await _a.FollowAsync("oak")).Headers.Location!.OriginalString);
        await Eventually.TrueAsync(
            async () => (await _b.FollowAsync("oak")) is { StatusCode: HttpStatusCode.TemporaryRedirect } answer
                && answer.Headers.Location!.OriginalString == "https://shop.example/2",
            "the other node redirects to the new target", Spread);

        Assert.Equal(HttpStatusCode.NoContent, (await _a.Admin.DeleteAsync("/links/oak")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _a.FollowAsync("oak")).StatusCode);
        await Eventually.TrueAsync(
            async () => (await _b.FollowAsync("oak")).StatusCode == HttpStatusCode.NotFound, "the other node knows no such link", Spread);
    }

    [Theory]
    [InlineData(301, "max-age=86400")]
    [InlineData(302, "no-store")]
    [InlineData(303, "no-store")]
    [InlineData(307, "no-store")]
    [InlineData(308, "max-age=86400")]
    public async Task A_link_answers_with_its_own_status_and_only_a_permanent_one_may_be_kept(int status, string cacheControl)
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, status });
        await _a.CreateAsync(new { slug = "few", target = LinkTestNode.Target, status, maxVisits = 9 });

        var answer = await _a.FollowAsync("oak");

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(cacheControl, answer.CacheControl());
        Assert.Equal("no-store", (await _a.FollowAsync("few")).CacheControl());
    }

    [Fact]
    public async Task A_link_is_followed_from_its_start_until_its_end()
    {
        await _a.CreateAsync(new { slug = "past", target = LinkTestNode.Target, expiresAt = "2020-01-01T00:00:00Z" });
        await _a.CreateAsync(new { slug = "future", target = LinkTestNode.Target, startsAt = "2999-01-01T00:00:00Z" });
        await _a.CreateAsync(new { slug = "gone", target = LinkTestNode.Target, maxVisits = 5, expiresAt = "2020-01-01T00:00:00Z" });
        await _a.CreateAsync(new { slug = "soon", target = LinkTestNode.Target, status = 301, expiresAt = TimeProvider.System.GetUtcNow().AddSeconds(3) });

        Assert.Equal(HttpStatusCode.Gone, (await _b.FollowAsync("past")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _b.FollowAsync("future")).StatusCode);
        Assert.Equal(HttpStatusCode.Gone, (await _b.FollowAsync("gone")).StatusCode);
        var soon = await _b.FollowAsync("soon");
        Assert.Equal(HttpStatusCode.MovedPermanently, soon.StatusCode);
        Assert.InRange(soon.Headers.CacheControl!.MaxAge!.Value.TotalSeconds, 1, 3);
        await Eventually.TrueAsync(async () => (await _b.FollowAsync("soon")).StatusCode == HttpStatusCode.Gone, "the link expires in memory too");
        Assert.Equal(0, await _a.VisitsAsync("past") + await _a.VisitsAsync("future") + await _a.VisitsAsync("gone"));
    }

    [Fact]
    public async Task A_link_made_anew_under_its_slug_is_another_link_on_the_other_node_within_a_second()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, maxVisits = 1 });
        Assert.Equal(HttpStatusCode.Found, (await _b.FollowAsync("oak")).StatusCode);
        Assert.Equal(HttpStatusCode.Gone, (await _b.FollowAsync("oak")).StatusCode);

        await _a.Admin.DeleteAsync("/links/oak");
        await _a.CreateAsync(new { slug = "oak", target = "https://shop.example/2", maxVisits = 1 });

        await Eventually.TrueAsync(
            async () => (await _b.AskAsync("oak")).Headers.Location?.OriginalString == "https://shop.example/2", "the other node knows the new link", Spread);
        Assert.Equal(HttpStatusCode.Found, (await _b.FollowAsync("oak")).StatusCode);
        Assert.Equal(HttpStatusCode.Gone, (await _a.FollowAsync("oak")).StatusCode);
    }

    [Fact]
    public async Task A_link_made_anew_of_which_a_node_has_not_heard_is_followed_as_what_it_is_now()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, maxVisits = 5 });
        Assert.Equal(HttpStatusCode.Found, (await _b.FollowAsync("oak")).StatusCode);

        // No change log says so.
        await _redis.ExecuteAsync("HSET", "gateway:link:{oak}", "id", "0123456789abcdef", "target", "https://shop.example/2", "max", "2");
        await _redis.ExecuteAsync("DEL", "gateway:link:{oak}:visits");

        Assert.Equal("https://shop.example/2", (await _b.AskAsync("oak")).Headers.Location!.OriginalString);
        Assert.Equal("https://shop.example/2", (await _a.FollowAsync("oak")).Headers.Location!.OriginalString);
        Assert.Equal("https://shop.example/2", (await _b.FollowAsync("oak")).Headers.Location!.OriginalString);
        Assert.Equal(HttpStatusCode.Gone, (await _b.FollowAsync("oak")).StatusCode);
        Assert.Equal(2, await _a.VisitsAsync("oak"));
    }

    [Fact]
    public async Task A_link_made_anew_with_a_password_is_not_followed_without_it()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, maxVisits = 5 });
        await _a.CreateAsync(new { slug = "vault", target = "https://shop.example/2", password = "open sesame" });
        Assert.Equal(HttpStatusCode.Found, (await _b.FollowAsync("oak")).StatusCode);

        // No change log says so.
        await _redis.ExecuteAsync("COPY", "gateway:link:{vault}", "gateway:link:{oak}", "REPLACE");

        var answer = await _b.FollowAsync("oak");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Null(answer.Headers.Location);
    }

    [Fact]
    public async Task A_link_with_a_maximum_begins_and_ends_in_time_too()
    {
        // It is asked for often before it begins.
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, UnknownPerMinute = 0 });
        var now = TimeProvider.System.GetUtcNow();
        await _a.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 1000, startsAt = now.AddSeconds(1.5), expiresAt = now.AddSeconds(3) });

        Assert.Equal(HttpStatusCode.NotFound, (await node.FollowAsync("few")).StatusCode);
        await Eventually.TrueAsync(async () => (await node.AskAsync("few")).StatusCode == HttpStatusCode.Found, "it begins", TimeSpan.FromSeconds(3));
        Assert.True(TimeProvider.System.GetUtcNow() >= now.AddSeconds(1.4));
        await Eventually.TrueAsync(async () => (await node.FollowAsync("few")).StatusCode == HttpStatusCode.Gone, "it ends", TimeSpan.FromSeconds(4));
        Assert.True(TimeProvider.System.GetUtcNow() >= now.AddSeconds(2.9));
    }

    [Fact]
    public async Task HEAD_is_answered_as_GET_is_and_counts_nothing()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        await _a.CreateAsync(new { slug = "once", target = LinkTestNode.Target, maxVisits = 1 });

        foreach (var slug in new[] { "oak", "once", "once" })
        {
            var answer = await _a.AskAsync(slug);
            Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
            Assert.Equal(LinkTestNode.Target, answer.Headers.Location!.OriginalString);
        }

        Assert.Equal(0, await _a.VisitsAsync("oak"));
        Assert.Equal(HttpStatusCode.Found, (await _a.FollowAsync("once")).StatusCode);
        Assert.Equal(HttpStatusCode.Gone, (await _a.AskAsync("once")).StatusCode);
    }

    [Fact]
    public async Task Other_methods_are_refused()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });

        foreach (var method in new[] { HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete })
        {
            using var request = new HttpRequestMessage(method, "/s/oak");
            var answer = await _a.Public.SendAsync(request);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
            Assert.Contains("GET", answer.Content.Headers.Allow);
        }

        Assert.Equal(0, await _a.VisitsAsync("oak"));
    }

    [Theory]
    [InlineData("/s/none")]
    [InlineData("/s/%2e%2e%2f")]
    [InlineData("/s/a%20b")]
    [InlineData("/s/%00")]
    [InlineData("/s/a%0d%0ab")]
    [InlineData("/s/%f0%9f%98%80")]
    [InlineData("/s/oak%7D")]
    [InlineData("/s/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("/s/")]
    [InlineData("/s")]
    [InlineData("/s/a/b")]
    public async Task What_is_no_link_is_a_problem_of_the_client(string path)
    {
        var answer = await _a.Public.GetAsync(path);

        Assert.True(answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{answer.StatusCode}");
        Assert.True(answer.Content.Headers.ContentType?.MediaType is "application/problem+json" or null);
    }

    [Fact]
    public async Task A_flood_of_unknown_slugs_is_remembered_within_bounds_and_pushes_no_link_out()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        await _a.FollowAsync("oak");
        var lookup = _a.Services.GetRequiredService<LinkLookup>();

        await Parallel.ForEachAsync(
            Enumerable.Range(0, LinkLookup.MaxUnknown + 5000), new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (i, cancellationToken) => Assert.Null((await lookup.FindAsync($"unknown-{i}", cancellationToken)).Link));

        Assert.InRange(lookup.UnknownCount, 1, LinkLookup.MaxUnknown);
        Assert.Equal(1, lookup.LinkCount);
    }

    [Fact]
    public async Task Prefix_and_hosts_change_while_the_gateway_runs_and_routes_keep_the_rest()
    {
        await using var origin = await TestOrigin.StartAsync();
        origin.Map("/s/oak", "origin").Map("/go/oak", "origin").Map("/go/oak/more", "origin");
        var proxy = origin.ProxySection();
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = proxy }, _redis.ConnectionString);
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        Assert.Equal(HttpStatusCode.OK, (await node.Public.GetAsync("/s/oak")).StatusCode);

        await node.ReloadAsync(new { ReverseProxy = proxy, ShortLinks = new { Enabled = true, Prefix = "/go" } });
        Assert.Equal(HttpStatusCode.OK, (await node.Public.GetAsync("/s/oak")).StatusCode);
        Assert.Equal(HttpStatusCode.Found, (await node.Public.GetAsync("/go/oak")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await node.Public.GetAsync("/go/oak/more")).StatusCode);
        // Passwords are posted there: the path is the link's own, whatever the method is.
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await node.Public.PostAsync("/go/oak", null)).StatusCode);

        await node.ReloadAsync(new { ReverseProxy = proxy, ShortLinks = new { Enabled = true, Prefix = "", Hosts } });
        Assert.Equal(HttpStatusCode.OK, (await node.Public.GetAsync("/go/oak")).StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/oak") { Headers = { Host = "go.example" } };
        Assert.Equal(HttpStatusCode.Found, (await node.Public.SendAsync(request)).StatusCode);
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task A_link_that_would_lead_back_to_a_link_is_not_followed()
    {
        // Made where that host was not known to be the gateway's own.
        await _a.CreateAsync(new { slug = "loop", target = "http://go.example/s/loop" });

        Assert.Equal(HttpStatusCode.LoopDetected, await FollowAtAsync(_a, "go.example", "loop"));
    }

    [Theory]
    [InlineData("https://go.example/s/loop", "go.example", 508)]
    [InlineData("https://go.example/s/loop", "go.example:443", 508)]
    [InlineData("https://go.example:8443/s/loop", "go.example:8443", 508)]
    [InlineData("https://go.example:8443/s/loop", "go.example:443", 302)]
    [InlineData("https://go.example/elsewhere", "go.example", 302)]
    public async Task A_link_that_leads_back_is_recognised_behind_what_ends_TLS(string target, string host, int status)
    {
        await _a.CreateAsync(new { slug = "loop", target });

        Assert.Equal(status, (int)await FollowAtAsync(_a, host, "loop"));
    }

    [Fact]
    public async Task Visitors_of_links_that_are_over_are_not_sent_back_to_them()
    {
        const string loop = "https://go.example/s/loop";
        await _a.CreateAsync(new { slug = "loop", target = LinkTestNode.Target, expiresAt = "2020-01-01T00:00:00Z", expiredTarget = loop });
        await _a.CreateAsync(new { slug = "once", target = LinkTestNode.Target, expiresAt = "2020-01-01T00:00:00Z" });
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, ExpiredTarget = loop });

        Assert.Equal(HttpStatusCode.Gone, await FollowAtAsync(_a, "go.example", "loop"));
        Assert.Equal(HttpStatusCode.Gone, await FollowAtAsync(node, "go.example", "once"));
        Assert.Equal(HttpStatusCode.Found, await FollowAtAsync(node, "elsewhere.example", "once"));
    }

    private static async Task<HttpStatusCode> FollowAtAsync(GatewayNode node, string host, string slug)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/s/{slug}") { Headers = { Host = host } };
        using var answer = await node.Public.SendAsync(request);
        return answer.StatusCode;
    }
}
