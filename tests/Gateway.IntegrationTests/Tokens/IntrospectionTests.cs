using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class IntrospectionTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly string[] Scopes = ["read", "admin"];

    private readonly IntrospectionWorld _world = new();

    public Task InitializeAsync() => _world.InitializeAsync();

    public Task DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Ten_thousand_requests_on_three_nodes_with_one_token_cost_one_call()
    {
        GatewayNode[] nodes = [await _world.StartNodeAsync(), await _world.StartNodeAsync(), await _world.StartNodeAsync()];
        var token = _world.Provider.Issue();
        var statuses = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();

        await Parallel.ForEachAsync(Enumerable.Range(0, 10_000), new ParallelOptions { MaxDegreeOfParallelism = 48 }, async (i, _) =>
            statuses.AddOrUpdate(await nodes[i % 3].StatusAsync(token), 1, (_, count) => count + 1));

        Assert.Equal([new(200, 10_000)], statuses);
        Assert.Equal(1, _world.Provider.Calls);
    }

    [Fact]
    public async Task Nodes_that_ask_at_once_wait_for_the_one_whose_turn_it_is()
    {
        GatewayNode[] nodes = [await _world.StartNodeAsync(), await _world.StartNodeAsync(), await _world.StartNodeAsync()];
        var token = _world.Provider.Issue();
        var release = new TaskCompletionSource();
        _world.Provider.Hold = release.Task;

        var requests = Enumerable.Range(0, 30).Select(i => nodes[i % 3].StatusAsync(token)).ToList();
        await Eventually.TrueAsync(() => _world.Provider.Calls == 1, "the provider is asked");
        release.SetResult();

        Assert.All(await Task.WhenAll(requests), status => Assert.Equal(200, status));
        Assert.Equal(1, _world.Provider.Calls);
    }

    [Fact]
    public async Task What_the_provider_says_of_a_token_reaches_the_backend()
    {
        var node = await _world.StartNodeAsync();

        using var response = await node.GetAsync("/page", _world.Provider.Issue("bob"));

        Assert.Equal("bob", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_token_that_the_provider_does_not_know_is_refused_and_asked_about_once_in_a_while()
    {
        var node = await _world.StartNodeAsync();
        for (var i = 0; i < 20; i++)
        {
            using var response = await node.GetAsync("/page", "nobody-issued-this");
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Bearer realm=\"shop\", error=\"invalid_token\", error_description=\"The token is not active\"", response.Challenge());
        }

        Assert.InRange(_world.Provider.Calls, 1, 2);
    }

    [Theory]
    [InlineData("another issuer")]
    [InlineData("another audience")]
    [InlineData("no audience")]
    [InlineData("expired")]
    [InlineData("no exp")]
    [InlineData("no iat")]
    [InlineData("too long lived")]
    [InlineData("inactive")]
    public async Task An_answer_that_does_not_fit_the_scheme_is_a_refusal(string what)
    {
        var node = await _world.StartNodeAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var token = _world.Provider.Issue(change: what switch
        {
            "another issuer" => ("iss", "https://evil.example"),
            "another audience" => ("aud", "bank"),
            "no audience" => ("aud", null),
            "expired" => ("exp", now - 100),
            "no exp" => ("exp", null),
            "no iat" => ("iat", null),
            "too long lived" => ("exp", now + (2 * 86400)),
            _ => ("active", false),
        });

        Assert.Equal(401, await node.StatusAsync(token));
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"active":"true"}""")]
    [InlineData("""{"active":false,"active":true}""")]
    [InlineData("<html>")]
    [InlineData("""{"active":true,"iss":"https://provider.example","aud":"shop","iat":IAT,"exp":EXP,"sub":"\ud800"}""")]
    [InlineData("""{"active":true,"iss":"\ud800"}""")]
    [InlineData("""{"active":true,"\ud800":1}""")]
    [InlineData("huge")]
    public async Task What_is_no_answer_refuses_nobody(string nonsense)
    {
        var node = await _world.StartNodeAsync();
        var token = _world.Provider.Issue();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        _world.Provider.Nonsense = nonsense == "huge"
            ? $$"""{"active":false,"x":"{{new string('a', 300_000)}}"}"""
            : nonsense.Replace("IAT", $"{now}", StringComparison.Ordinal).Replace("EXP", $"{now + 600}", StringComparison.Ordinal);
        Assert.Equal(503, await node.StatusAsync(token));

        _world.Provider.Nonsense = null;
        Assert.Equal(200, await node.StatusAsync(token));
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("text/html; charset=utf-8", 503)]
    [InlineData("application/token-introspection+jwt", 503)]
    [InlineData("json", 503)]
    [InlineData("Application/JSON;charset=UTF-8", 200)]
    [InlineData(null, 200)]
    public async Task An_answer_of_another_type_is_none(string? type, int status)
    {
        var node = await _world.StartNodeAsync();
        _world.Provider.ContentType = type;

        Assert.Equal(status, await node.StatusAsync(_world.Provider.Issue()));
        Assert.Equal(status == 200 ? 401 : 503, await node.StatusAsync("nobody-issued-this"));
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task A_token_without_a_required_scope_gets_403()
    {
        var node = await _world.StartNodeAsync(scheme => scheme["RequiredScopes"] = Scopes);

        using var response = await node.GetAsync("/page", _world.Provider.Issue());

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("Bearer realm=\"shop\", error=\"insufficient_scope\", scope=\"read admin\"", response.Challenge());
        Assert.Equal(200, await node.StatusAsync(_world.Provider.Issue(change: ("scope", "admin read"))));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a,b")]
    [InlineData("")]
    [InlineData("==")]
    [InlineData("\"")]
    public async Task What_cannot_be_a_token_is_not_asked_about(string token)
    {
        var node = await _world.StartNodeAsync();

        Assert.Equal(401, await node.StatusAsync(token));
        Assert.Equal(401, await node.StatusAsync(new string('a', 17_000)));
        Assert.Equal(0, _world.Provider.Calls);
    }

    [Fact]
    public async Task A_token_that_the_provider_ends_is_refused_when_its_result_is_used_up()
    {
        var node = await _world.StartNodeAsync(scheme => scheme["CacheDuration"] = "00:00:01");
        var token = _world.Provider.Issue();
        Assert.Equal(200, await node.StatusAsync(token));

        _world.Provider.End(token);

        await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 401, "the provider is asked again", 5 * Second);
        _world.Provider.IsDown = true;
        Assert.Equal(401, await node.StatusAsync(token));
    }
}
