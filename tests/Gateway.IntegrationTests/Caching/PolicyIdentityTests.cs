using Gateway.IntegrationTests.Infrastructure;
using Gateway.IntegrationTests.Tokens;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Responses to identities that the gateway established: kept apart by claim, and shared only where the policy says so.</summary>
public sealed class PolicyIdentityTests : IAsyncLifetime
{
    // What all nodes serve; their own addresses would be different sites.
    private static readonly (string Name, string Value) OneSite = ("Host", CacheTestNode.Host);

    private RedisServer _redis = null!;
    private TestOrigin _origin = null!;
    private TestIssuer _issuer = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _origin = await TestOrigin.StartAsync();
        _issuer = await TestIssuer.StartAsync();
        _origin.Map("/me", context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            return context.Response.WriteAsync(context.Request.Headers["X-Auth-Subject"].ToString());
        });
    }

    public async Task DisposeAsync()
    {
        await _issuer.DisposeAsync();
        await _origin.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task With_permission_each_identity_finds_its_own_response_on_all_nodes()
    {
        await using var a = await StartAsync(new { Authorization = "Share", VaryByClaim = new[] { "sub" }, LockThreshold = "00:00:00" });
        await using var b = await StartAsync(new { Authorization = "Share", VaryByClaim = new[] { "sub" }, LockThreshold = "00:00:00" });

        foreach (var subject in new[] { "alice", "bob" })
        {
            Assert.Equal(subject, await (await a.GetAsync("/me", _issuer.Issue(subject), OneSite)).TextAsync());
            // Another token of the same subject, on another node.
            await Eventually.TrueAsync(async () => (await b.GetAsync("/me", _issuer.Issue(subject), OneSite)).CacheStatus().Contains("; hit;", StringComparison.Ordinal), "stored");
            Assert.Equal(subject, await (await b.GetAsync("/me", _issuer.Issue(subject), OneSite)).TextAsync());
        }

        Assert.Equal(2, _origin.Count("/me"));
        await using var connection = await _redis.ConnectAsync();
        Assert.DoesNotContain(connection.GetServers()[0].Keys(), key => key.ToString().Contains("alice", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_permission_nothing_is_stored_though_it_would_be_kept_apart()
    {
        await using var node = await StartAsync(new { VaryByClaim = new[] { "sub" } });

        for (var i = 0; i < 2; i++)
            Assert.Contains("detail=authorization", (await node.GetAsync("/me", _issuer.Issue("alice"))).CacheStatus(), StringComparison.Ordinal);
        Assert.Equal(2, _origin.Count("/me"));
    }

    [Fact]
    public async Task Shared_responses_are_still_for_those_alone_whom_the_route_admits()
    {
        await using var node = await StartAsync(new { Authorization = "Share" });
        await node.GetAsync("/me", _issuer.Issue("alice"));
        await Eventually.TrueAsync(async () => (await node.GetAsync("/me", _issuer.Issue("bob"))).CacheStatus().Contains("; hit;", StringComparison.Ordinal), "stored");

        Assert.Equal(401, (int)(await node.GetAsync("/me", token: null)).StatusCode);
        Assert.Equal(401, (int)(await node.GetAsync("/me", token: "forged")).StatusCode);
    }

    [Fact]
    public async Task What_the_origin_calls_private_is_not_shared()
    {
        _origin.Map("/mine", "mine", ("Cache-Control", "private, max-age=60"));
        await using var node = await StartAsync(new { Authorization = "Share" });

        for (var i = 0; i < 2; i++)
            Assert.Contains("detail=response-private", (await node.GetAsync("/mine", _issuer.Issue("alice"))).CacheStatus(), StringComparison.Ordinal);
    }

    /// <remarks>It fails when the claim is left out of the key.</remarks>
    [Fact]
    public async Task With_permission_those_who_ask_at_once_share_a_fetch_with_their_own_identity_alone()
    {
        var answer = HoldMe();
        await using var a = await StartAsync(new { Authorization = "Share", VaryByClaim = new[] { "sub" }, LockThreshold = "00:00:00" });
        await using var b = await StartAsync(new { Authorization = "Share", VaryByClaim = new[] { "sub" }, LockThreshold = "00:00:00" });
        string[] subjects = ["alice", "bob", "carol"];
        var tokens = subjects.ToDictionary(subject => subject, subject => _issuer.Issue(subject));

        var requests = Enumerable.Range(0, 60).Select(i => (Subject: subjects[i % 3], Response: (i % 2 == 0 ? a : b).GetAsync("/me", tokens[subjects[i % 3]], OneSite))).ToArray();
        await Eventually.TrueAsync(() => _origin.Count("/me") == 3, "each identity has its own fetch, on one of the nodes");
        answer.SetResult();

        foreach (var (subject, response) in requests)
            Assert.Equal(subject, await (await response).TextAsync());
        Assert.Equal(3, _origin.Count("/me"));
    }

    /// <remarks>It fails when requests with an identity follow, or when only the field <c>Authorization</c> counts as one.</remarks>
    [Fact]
    public async Task Without_permission_nobody_waits_for_the_response_to_another_whichever_field_tells_who_it_is()
    {
        var answer = HoldMe();
        await using var node = await StartAsync(new { }, "partners");
        var keys = new List<string>();
        foreach (var owner in new[] { "alice", "bob", "carol" })
            keys.Add((await node.IssueAsync(new { owner })).Key);

        var requests = keys.Concat(keys).Select(key => node.GetAsync("/me", token: null, ("X-Api-Key", key), OneSite)).ToArray();
        await Eventually.TrueAsync(() => _origin.Count("/me") == 6, "each asks the origin at once", TimeSpan.FromSeconds(5));
        answer.SetResult();

        var texts = await Task.WhenAll(requests.Select(async request => await (await request).TextAsync()));
        Assert.Equal(["alice", "bob", "carol", "alice", "bob", "carol"], texts);
    }

    private TaskCompletionSource HoldMe()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _origin.Map("/me", async context =>
        {
            await answer.Task;
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync(context.Request.Headers["X-Auth-Subject"].ToString());
        });
        return answer;
    }

    private Task<GatewayNode> StartAsync(object policy, string scheme = "shop") => GatewayNode.StartAsync(
        new
        {
            ReverseProxy = _origin.ProxySection(("AuthorizationPolicy", scheme), ("OutputCachePolicy", "origin")),
            OutputCache = new { Policies = new { origin = policy } },
            Tokens = new
            {
                Schemes = new
                {
                    shop = new { TestIssuer.Issuer, TestIssuer.Audience, _issuer.JwksUri, Forward = new[] { new { Claim = "sub", Field = "X-Auth-Subject" } } },
                    partners = new { ApiKeys = new { Enabled = true }, Forward = new[] { new { Claim = "sub", Field = "X-Auth-Subject" } } },
                },
            },
            Redis = new { Deadline = "00:00:02" },
        },
        _redis.ConnectionString);
}
