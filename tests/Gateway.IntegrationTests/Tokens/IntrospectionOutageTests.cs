using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class IntrospectionOutageTests : IAsyncLifetime
{
    private readonly IntrospectionWorld _world = new();

    public Task InitializeAsync() => _world.InitializeAsync();

    public Task DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("error")]
    [InlineData("silence")]
    [InlineData("wrong secret")]
    public async Task While_the_provider_is_away_known_tokens_go_on_unknown_ones_get_503_and_none_is_refused(string outage)
    {
        var a = await _world.StartNodeAsync(introspection: options => options["Timeout"] = "00:00:00.500");
        var b = await _world.StartNodeAsync(introspection: options =>
        {
            options["Timeout"] = "00:00:00.500";
            if (outage == "wrong secret")
                options["ClientSecret"] = "guessed";
        });
        var (known, unknown) = (_world.Provider.Issue(), _world.Provider.Issue("bob"));
        Assert.Equal(200, await a.StatusAsync(known));

        var release = new TaskCompletionSource();
        _world.Provider.IsDown = outage == "error";
        _world.Provider.Hold = outage == "silence" ? release.Task : Task.CompletedTask;
        Assert.Equal(200, await a.StatusAsync(known));
        Assert.Equal(200, await b.StatusAsync(known));
        using (var response = await b.GetAsync("/page", unknown))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
            Assert.Empty(response.Headers.WwwAuthenticate);
        }

        _world.Provider.IsDown = false;
        release.SetResult();
        Assert.Equal(200, await a.StatusAsync(unknown));
        Assert.Equal(200, await b.StatusAsync(unknown));
        Assert.Empty(b.Log.Exceptions);
        Assert.Single(b.Log.Events, logged => logged.Id.Id == 6003);
    }

    [Fact]
    public async Task A_used_up_result_goes_on_while_the_provider_is_away_on_every_node_and_ends_with_the_token()
    {
        var nodes = new[] { await StartAsync(), await StartAsync() };
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var token = _world.Provider.Issue(change: [("iat", now - 60), ("exp", now + 6)]);
        Assert.Equal(200, await nodes[0].StatusAsync(token));
        _world.Provider.IsDown = true;
        var before = _world.Provider.Calls;

        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var node in nodes)
                    Assert.Equal(200, await node.StatusAsync(token));
                return _world.Provider.Calls > before + 1;
            },
            "the provider is asked again, in vain");
        await Eventually.TrueAsync(async () => await nodes[1].StatusAsync(token) == 503, "the token has expired");

        Task<GatewayNode> StartAsync() => _world.StartNodeAsync(scheme => scheme["CacheDuration"] = "00:00:01");
    }

    [Fact]
    public async Task A_token_that_another_node_found_ended_does_not_go_on_when_the_provider_is_away()
    {
        var nodes = new[] { await StartBriefAsync(), await StartBriefAsync() };
        var token = _world.Provider.Issue();
        foreach (var node in nodes)
            Assert.Equal(200, await node.StatusAsync(token));
        _world.Provider.End(token);
        await Eventually.TrueAsync(async () => await nodes[0].StatusAsync(token) == 401, "the provider is asked again");

        _world.Provider.IsDown = true;

        Assert.Equal(503, await nodes[1].StatusAsync(token));

        Task<GatewayNode> StartBriefAsync() => _world.StartNodeAsync(scheme => scheme["CacheDuration"] = "00:00:01");
    }

    [Fact]
    public async Task A_provider_that_is_away_does_not_make_all_known_tokens_wait_for_it()
    {
        var node = await _world.StartNodeAsync(scheme => scheme["CacheDuration"] = "00:00:01");
        var tokens = Enumerable.Range(0, 10).Select(i => _world.Provider.Issue($"user-{i}")).ToList();
        foreach (var token in tokens)
            Assert.Equal(200, await node.StatusAsync(token));
        _world.Provider.IsDown = true;
        var before = _world.Provider.Calls;
        await Eventually.TrueAsync(async () => await node.StatusAsync(tokens[^1]) == 200 && _world.Provider.Calls > before, "the results are used up, the last one too");
        before = _world.Provider.Calls;

        foreach (var token in tokens)
            Assert.Equal(200, await node.StatusAsync(token));

        Assert.InRange(_world.Provider.Calls - before, 0, 2);
    }

    [Fact]
    public async Task A_scheme_may_forbid_the_use_of_used_up_results()
    {
        var node = await _world.StartNodeAsync(scheme => scheme["CacheDuration"] = "00:00:01", options => options["UseWhileUnavailable"] = "00:00:00");
        var token = _world.Provider.Issue();
        Assert.Equal(200, await node.StatusAsync(token));

        _world.Provider.IsDown = true;

        await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 503, "the result is used up", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Without_Redis_each_node_asks_for_itself()
    {
        var node = await _world.StartNodeAsync();
        await _world.Redis.KillAsync();
        var token = _world.Provider.Issue();

        for (var i = 0; i < 10; i++)
            Assert.Equal(200, await node.StatusAsync(token));

        Assert.Equal(1, _world.Provider.Calls);
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task The_embedded_server_keeps_results_and_turns_as_Redis_does()
    {
        await using var node = await GatewayNode.StartAsync(_world.Config());
        await using var other = await GatewayNode.StartAsync(_world.Config(), $"127.0.0.1:{((Gateway.Redis.EmbeddedRedisServer)node.Services.GetService(typeof(Gateway.Redis.EmbeddedRedisServer))!).Port}");
        var token = _world.Provider.Issue();
        var release = new TaskCompletionSource();
        _world.Provider.Hold = release.Task;

        Task<int>[] requests = [node.StatusAsync(token), other.StatusAsync(token), node.StatusAsync(token), other.StatusAsync(token)];
        await Eventually.TrueAsync(() => _world.Provider.Calls == 1, "the provider is asked");
        release.SetResult();

        Assert.All(await Task.WhenAll(requests), status => Assert.Equal(200, status));
        Assert.Equal(1, _world.Provider.Calls);
        Assert.Equal(401, await node.StatusAsync("nobody-issued-this"));
    }

    [Fact]
    public async Task A_node_that_died_in_its_turn_holds_nobody_up_for_long()
    {
        var node = await _world.StartNodeAsync(introspection: options => options["Timeout"] = "00:00:00.500");
        var token = _world.Provider.Issue();
        await using var redis = await _world.Redis.ConnectAsync();
        var hash = Gateway.Tokens.TokenHash.OfToken(Find(node).Fingerprint, token);
        await redis.GetDatabase().StringSetAsync($"gateway:token:2:{{{hash}}}:turn", "dead", TimeSpan.FromSeconds(1));

        Assert.Equal(200, await node.StatusAsync(token));
        Assert.Empty(redis.GetServers()[0].Keys(pattern: "*:turn"));
    }

    private static Gateway.Tokens.TokenScheme Find(GatewayNode node) =>
        ((Gateway.Tokens.TokenSchemes)node.Services.GetService(typeof(Gateway.Tokens.TokenSchemes))!).Find("shop")!;
}
