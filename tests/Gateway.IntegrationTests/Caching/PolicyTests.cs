using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Each option of a policy, through two gateways.</summary>
public sealed class PolicyTests : IAsyncLifetime
{
    private readonly List<GatewayNode> _nodes = [];
    private RedisServer _redis = null!;
    private TestOrigin _origin = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _origin = await TestOrigin.StartAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            Assert.DoesNotContain(node.Log.Events, logged => logged.Level >= LogLevel.Error);
            await node.DisposeAsync();
        }

        await _origin.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData("Ttl", "max-age=0", true)]
    [InlineData("Ttl", null, true)]
    [InlineData("Ttl", "no-store", false)]
    [InlineData("Ttl", "private", false)]
    [InlineData("DefaultTtl", null, true)]
    [InlineData("DefaultTtl", "max-age=0", false)]
    public async Task A_lifetime_of_the_policy_makes_responses_reusable(string option, string? cacheControl, bool isReused)
    {
        _origin.Map("/x", "body", cacheControl is null ? [("Age", "500")] : [("Cache-Control", cacheControl), ("Age", "500")]);
        var (a, b) = await StartAsync(new Dictionary<string, object> { [option] = "00:01:00" });

        await a.GetAsync("/x");
        if (isReused)
            await HitsAsync(b, "/x");

        var second = await a.GetAsync("/x");
        Assert.Equal(isReused, second.CacheStatus().StartsWith("Gateway; hit; ttl=", StringComparison.Ordinal));
        // Clients are told what the origin said, and the true age.
        Assert.Equal(cacheControl, second.Headers.CacheControl?.ToString());
        Assert.True(second.Headers.Age >= TimeSpan.FromSeconds(500));
        Assert.Equal(isReused ? 1 : 2, _origin.Count("/x"));
    }

    [Fact]
    public async Task Query_keys_that_do_not_count_are_neither_in_the_key_nor_seen_by_the_origin()
    {
        Echo("/x", context => context.Request.QueryString.ToString());
        var (a, b) = await StartAsync(new { QueryKeys = new { Drop = new[] { "utm_*" } } });

        Assert.Equal("?id=1", await TextAsync(a, "/x?utm_source=me&id=1"));
        await HitsAsync(b, "/x?id=1&utm_source=you");
        Assert.Equal("?id=1", await TextAsync(b, "/x?id=1"));
        Assert.Equal("?id=2", await TextAsync(b, "/x?id=2&utm_source=you"));

        Assert.Equal(["/x?id=1", "/x?id=2"], _origin.Requests.Select(request => request.PathAndQuery));
    }

    [Fact]
    public async Task What_does_not_count_stays_on_requests_that_the_cache_does_not_answer()
    {
        Echo("/x", context => context.Request.QueryString.ToString());
        var (a, _) = await StartAsync(new { QueryKeys = new { Keep = new[] { "id" } } });

        using var answer = await a.SendAsync(HttpMethod.Post, "/x?id=1&token=t");
        Assert.Equal("?id=1&token=t", await answer.TextAsync());
    }

    [Theory]
    [InlineData("/x?id=1&utm_source=you")]
    [InlineData("/x?id=1")]
    public async Task A_purge_and_an_unsafe_request_reach_what_is_stored_without_the_keys_that_do_not_count(string url)
    {
        Echo("/x", _ => "body");
        var (a, b) = await StartAsync(new { QueryKeys = new { Drop = new[] { "utm_*" } } });
        await a.GetAsync("/x?id=1&utm_source=me");
        await HitsAsync(a, "/x?id=1");

        using (await a.SendAsync(HttpMethod.Post, url))
            Assert.Contains("fwd=", (await a.GetAsync("/x?id=1")).CacheStatus(), StringComparison.Ordinal);
        await HitsAsync(a, "/x?id=1");
        await HitsAsync(b, "/x?id=1");

        await a.Admin.PostAsync("/cache/purge?wait=true", Json($$"""{"url":"http://{{CacheTestNode.Host}}{{url}}"}"""));
        Assert.Contains("fwd=", (await b.GetAsync("/x?id=1")).CacheStatus(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("VaryByHeader", "X-Tenant", "X-Tenant", "one", "two")]
    [InlineData("VaryByCookie", "theme", "Cookie", "session=1; theme=one", "session=1; theme=two")]
    public async Task What_the_policy_varies_by_keeps_responses_apart(string option, string name, string field, string one, string two)
    {
        Echo("/x", context => context.Request.Headers[field].ToString());
        var (a, b) = await StartAsync(new Dictionary<string, object> { [option] = new[] { name }, ["LockThreshold"] = "00:00:00" });

        foreach (var value in new[] { one, two })
        {
            Assert.Equal(value, await TextAsync(a, "/x", (field, value)));
            await HitsAsync(b, "/x", (field, value));
            Assert.Equal(value, await TextAsync(b, "/x", (field, value)));
        }

        Assert.Equal(2, _origin.Count("/x"));
        Assert.DoesNotContain(one, await DumpAsync(withValues: false), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collapsed_demands_for_a_fresh_answer_share_one()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var fetches = 0;
        _origin.Map("/x", async context =>
        {
            var number = Interlocked.Increment(ref fetches);
            if (number > 1)
            {
                arrived.TrySetResult();
                await answer.Task;
            }

            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync($"{number}");
        });
        var (a, _) = await StartAsync(new { ClientDirectives = "Collapse", Collapse = "Process" });
        Assert.Equal("1", await TextAsync(a, "/x"));

        var flood = Enumerable.Range(0, 30).Select(_ => a.GetAsync("/x", ("Cache-Control", "no-cache"))).ToArray();
        await arrived.Task;
        await FollowersWaitAsync(a, flood);
        answer.SetResult();

        // None gets the answer from before it asked; a straggler that came after all that makes one more.
        foreach (var response in await Task.WhenAll(flood))
            Assert.NotEqual("1", await response.TextAsync());
        Assert.InRange(fetches, 2, 5);
    }

    [Fact]
    public async Task Ignored_demands_do_not_reach_the_origin()
    {
        Echo("/x", _ => "body");
        var (a, _) = await StartAsync(new { ClientDirectives = "Ignore" });
        using (await a.GetAsync("/x", ("Cache-Control", "no-store")))
        {
            foreach (var demand in new[] { "no-cache", "max-age=0", "no-store", "min-fresh=1000", "only-if-cached" })
                Assert.StartsWith("Gateway; hit", (await a.GetAsync("/x", ("Cache-Control", demand))).CacheStatus(), StringComparison.Ordinal);
        }

        Assert.Equal(1, _origin.Count("/x"));
    }

    [Theory]
    [InlineData("Bypass", "public, max-age=60", "Gateway; fwd=bypass; fwd-status=200; detail=authorization")]
    [InlineData("Origin", "public, max-age=60", "Gateway; hit")]
    [InlineData("Origin", "max-age=60", "Gateway; fwd=uri-miss; fwd-status=200; detail=authorization")]
    // The gateway has not checked these credentials.
    [InlineData("Share", "max-age=60", "Gateway; fwd=uri-miss; fwd-status=200; detail=authorization")]
    public async Task Requests_with_credentials_go_by_the_policy(string authorization, string cacheControl, string second)
    {
        _origin.Map("/x", "body", ("Cache-Control", cacheControl));
        var (a, _) = await StartAsync(new { Authorization = authorization });

        await a.GetAsync("/x", ("Authorization", "Basic YTpi"));
        Assert.StartsWith(second, (await a.GetAsync("/x", ("Authorization", "Basic YTpi"))).CacheStatus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_that_are_part_of_the_key_may_be_stored_and_are_nowhere_in_plain_text()
    {
        Echo("/x", context => context.Request.Headers.Authorization.ToString() switch { "Basic c2VjcmV0" => "first", "" => "nobody", _ => "second" });
        var (a, b) = await StartAsync(new { Authorization = "Share", VaryByHeader = new[] { "Authorization" } });

        Assert.Equal("first", await TextAsync(a, "/x", ("Authorization", "Basic c2VjcmV0")));
        await HitsAsync(b, "/x", ("Authorization", "Basic c2VjcmV0"));
        Assert.Equal("second", await TextAsync(b, "/x", ("Authorization", "Basic b3RoZXI=")));
        Assert.Equal("nobody", await TextAsync(b, "/x"));
        Assert.DoesNotContain("c2VjcmV0", await DumpAsync(withValues: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_tag_field_reaches_clients_unless_the_policy_strips_it(bool isStripped)
    {
        _origin.Map("/x", "body", ("Cache-Control", "max-age=60"), ("Surrogate-Key", "red"), ("ETag", "\"1\""));
        var (a, b) = await StartAsync(new { StripTagField = isStripped });

        using var miss = await a.GetAsync("/x");
        await HitsAsync(b, "/x");
        using var hit = await b.GetAsync("/x");
        using var post = await b.SendAsync(HttpMethod.Options, "/x");
        foreach (var response in new[] { miss, hit, post })
            Assert.Equal(!isStripped, response.Headers.Contains("Surrogate-Key"));

        await HitsAsync(a, "/x");
        await a.Admin.PostAsync("/cache/purge?wait=true", Json("""{"tag":"red"}"""));
        Assert.Contains("fwd=", (await b.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pages")]
    [InlineData("red")]
    [InlineData("blue")]
    public async Task A_tag_of_the_policy_and_each_of_the_field_that_it_names_are_purged(string tag)
    {
        _origin.Map("/x", "body", ("Cache-Control", "max-age=60"), ("Cache-Tag", "red, blue"), ("Surrogate-Key", "green"));
        var (a, b) = await StartAsync(new { Tags = new[] { "pages" }, TagField = "Cache-Tag" });
        await HitsAsync(a, "/x");
        await HitsAsync(b, "/x");

        await a.Admin.PostAsync("/cache/purge?wait=true", Json("""{"tag":"green"}"""));
        Assert.Contains("; hit", (await b.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
        await a.Admin.PostAsync("/cache/purge?wait=true", Json($$"""{"tag":"{{tag}}"}"""));
        Assert.Contains("fwd=", (await b.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_policy_is_in_force_without_a_restart_and_finds_nothing_stored_under_the_old_one()
    {
        _origin.Map("/x", "body", ("Cache-Control", "no-cache"));
        var (a, _) = await StartAsync(new { DefaultTtl = "00:01:00", QueryKeys = new { Drop = new[] { "a" } } });
        _origin.Map("/x", "body");
        await a.GetAsync("/x?a=1");
        await HitsAsync(a, "/x?a=2");

        var status = await a.ReloadAsync(CacheTestNode.Config(_origin, new { DefaultTtl = "00:01:00", QueryKeys = new { Drop = new[] { "b" } } }));

        Assert.Empty(status.LastErrors);
        await Eventually.TrueAsync(async () => (await a.GetAsync($"/x?a={Guid.NewGuid():N}")).CacheStatus().Contains("uri-miss", StringComparison.Ordinal), "the new policy");
        Assert.Contains("uri-miss", (await a.GetAsync("/x?b=1")).CacheStatus(), StringComparison.Ordinal);
        await HitsAsync(a, "/x?b=2");
    }

    private async Task<(GatewayNode A, GatewayNode B)> StartAsync(object policy)
    {
        for (var i = 0; i < 2; i++)
            _nodes.Add(await CacheTestNode.StartAsync(_origin, _redis, policy));
        return (_nodes[0], _nodes[1]);
    }

    private void Echo(string path, Func<HttpContext, string> body) => _origin.Map(path, context =>
    {
        context.Response.Headers.CacheControl = "max-age=60";
        return context.Response.WriteAsync(body(context));
    });

    private static Task HitsAsync(GatewayNode node, string path, params (string Name, string Value)[] fields) => Eventually.TrueAsync(
        async () => (await node.GetAsync(path, fields)).CacheStatus().StartsWith("Gateway; hit", StringComparison.Ordinal), $"{path} is stored");

    private static async Task<string> TextAsync(GatewayNode node, string path, params (string Name, string Value)[] fields) =>
        await (await node.GetAsync(path, fields)).TextAsync();

    // The leader's request is at the origin; requests sent later have been answered meanwhile.
    private static async Task FollowersWaitAsync(GatewayNode node, Task<HttpResponseMessage>[] responses)
    {
        for (var i = 0; i < 20; i++)
            (await node.GetAsync("/other")).Dispose();
        Assert.DoesNotContain(responses, response => response.IsCompleted);
    }

    private static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    private async Task<string> DumpAsync(bool withValues)
    {
        await using var connection = await _redis.ConnectAsync();
        var text = new System.Text.StringBuilder();
        foreach (var key in connection.GetServers()[0].Keys())
        {
            text.AppendLine(key.ToString());
            if (withValues && await connection.GetDatabase().KeyTypeAsync(key) == StackExchange.Redis.RedisType.String)
                text.AppendLine(await connection.GetDatabase().StringGetAsync(key));
        }

        return text.ToString();
    }
}
