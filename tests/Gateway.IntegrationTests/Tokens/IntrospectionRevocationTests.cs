using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class IntrospectionRevocationTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly IntrospectionWorld _world = new();

    public Task InitializeAsync() => _world.InitializeAsync();

    public Task DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("token", true)]
    [InlineData("token", false)]
    [InlineData("jti", true)]
    [InlineData("subject", true)]
    [InlineData("subject", false)]
    [InlineData("issuedBefore", true)]
    public async Task A_revocation_holds_on_all_nodes_within_a_second_with_hints_and_without(string by, bool hasHints)
    {
        GatewayNode[] nodes = [await _world.StartNodeAsync(), await _world.StartNodeAsync(), await _world.StartNodeAsync()];
        if (!hasHints)
            await CutHintsAsync();
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 10;
        var token = _world.Provider.Issue(change: [("jti", "one"), ("iat", issued)]);
        foreach (var node in nodes)
            Assert.Equal(200, await node.StatusAsync(token));

        using var answer = await nodes[0].RevokeAsync(RequestFor(by, token, issued));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var node in nodes)
            await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 401, "the node refuses the token", Second);
        Assert.Equal(by == "issuedBefore" || by == "subject" ? 401 : 200, await nodes[1].StatusAsync(_world.Provider.Issue(change: ("iat", issued))));
        Assert.Equal(200, await nodes[2].StatusAsync(_world.Provider.Issue("bob", ("iat", issued + 6))));
    }

    [Theory]
    [InlineData("token")]
    [InlineData("jti")]
    [InlineData("subject")]
    public async Task An_introspection_under_way_does_not_bring_a_revoked_token_back(string by)
    {
        // The revocation is waited for, which takes as long as a lease may.
        GatewayNode[] nodes = [await StartPatientAsync(), await StartPatientAsync()];
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 10;
        var token = _world.Provider.Issue(change: [("jti", "one"), ("iat", issued)]);
        var release = new TaskCompletionSource();
        _world.Provider.Hold = release.Task;
        var underWay = nodes.Select(node => node.StatusAsync(token)).ToList();
        await Eventually.TrueAsync(() => _world.Provider.Calls == 1, "the provider is asked");

        (await nodes[1].RevokeAsync(RequestFor(by, token, issued), wait: true)).Dispose();
        release.SetResult();

        foreach (var status in await Task.WhenAll(underWay))
            Assert.Equal(401, status);
        foreach (var node in nodes)
            Assert.Equal(401, await node.StatusAsync(token));
    }

    [Fact]
    public async Task Without_hints_a_revocation_holds_within_a_second_also_against_introspections_under_way()
    {
        GatewayNode[] nodes = [await StartPatientAsync(), await StartPatientAsync(), await StartPatientAsync()];
        await CutHintsAsync();
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 10;
        var (known, token) = (_world.Provider.Issue(change: ("iat", issued)), _world.Provider.Issue(change: ("iat", issued)));
        foreach (var node in nodes)
            Assert.Equal(200, await node.StatusAsync(known));
        var release = new TaskCompletionSource();
        _world.Provider.Hold = release.Task;
        var underWay = nodes.Select(node => node.StatusAsync(token)).ToList();
        await Eventually.TrueAsync(() => _world.Provider.Calls == 2, "the provider is asked about the second token");

        (await nodes[0].RevokeAsync(RequestFor("subject", token, issued))).Dispose();
        foreach (var node in nodes)
            await Eventually.TrueAsync(async () => await node.StatusAsync(known) == 401, "the node knows of the revocation", Second);
        release.SetResult();

        Assert.All(await Task.WhenAll(underWay), status => Assert.Equal(401, status));
        foreach (var node in nodes)
            Assert.Equal(401, await node.StatusAsync(token));
    }

    [Fact]
    public async Task Another_signature_under_a_signed_token_that_a_provider_is_asked_about_does_not_escape()
    {
        var node = await _world.StartNodeAsync();
        foreach (var known in new[] { "eyJh.body.signature", "eyJh.body.another", "eyJh.other.signature" })
            _world.Provider.Accept(known);
        (await node.RevokeAsync(new { token = "eyJh.body.signature" })).Dispose();

        Assert.Equal(401, await node.StatusAsync("eyJh.body.signature"));
        Assert.Equal(401, await node.StatusAsync("eyJh.body.another"));
        Assert.Equal(200, await node.StatusAsync("eyJh.other.signature"));
    }

    private Task<GatewayNode> StartPatientAsync() => _world.StartNodeAsync(introspection: options => options["Timeout"] = "00:00:20");

    private static object RequestFor(string by, string token, long issued) => by switch
    {
        "token" => new { token },
        "jti" => new { jti = "one" },
        "subject" => new { scheme = "shop", subject = "alice" },
        _ => (object)new { issuedBefore = DateTimeOffset.FromUnixTimeSeconds(issued + 5) },
    };

    // Nobody may listen to channels any more; the log itself is read as before.
    private async Task CutHintsAsync()
    {
        await using var redis = await _world.Redis.ConnectAsync();
        var server = redis.GetServers()[0];
        await server.ExecuteAsync("ACL", "SETUSER", "default", "-subscribe");
        await server.ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
        await Eventually.TrueAsync(async () => (int)(await server.ExecuteAsync("PUBSUB", "NUMSUB", "gateway:changes"))[1] == 0, "no node is told of changes");
    }
}
