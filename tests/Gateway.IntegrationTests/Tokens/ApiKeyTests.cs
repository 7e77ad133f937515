using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class ApiKeyTests(ApiKeyWorld world) : IClassFixture<ApiKeyWorld>
{
    private static readonly string[] Scopes = ["orders:read", "orders:write"];

    [Fact]
    public async Task A_key_opens_its_routes_on_every_node_and_says_who_asks()
    {
        var path = $"/who/{Guid.NewGuid():N}";
        world.Origin.Map(path, "", ("Cache-Control", "no-store"));
        var (key, _) = await world.A.IssueAsync(new { owner = "alice", scopes = Scopes, plan = "gold", note = "for tests" });

        foreach (var node in new[] { world.A, world.B })
            Assert.Equal(200, await node.KeyStatusAsync(key, path));

        foreach (var request in world.Origin.Requests.Where(request => request.PathAndQuery == path))
        {
            Assert.Equal("alice", request.Headers["X-Auth-Subject"]);
            Assert.Equal("orders:read orders:write", request.Headers["X-Auth-Scope"]);
            Assert.Equal("gold", request.Headers["X-Auth-Plan"]);
            Assert.DoesNotContain("X-Api-Key", request.Headers.Keys);
        }
    }

    [Fact]
    public async Task A_backend_gets_the_key_only_where_the_scheme_says_so()
    {
        var path = $"/kept/{Guid.NewGuid():N}";
        world.Origin.Map(path, "", ("Cache-Control", "no-store"));
        await using var node = await world.StartNodeAsync(scheme => ((Dictionary<string, object>)scheme["ApiKeys"])["KeepField"] = true);
        var (key, _) = await node.IssueAsync();

        Assert.Equal(200, await node.KeyStatusAsync(key, path));

        Assert.Equal(key, world.Origin.Requests.Single(request => request.PathAndQuery == path).Headers["X-Api-Key"]);
    }

    [Fact]
    public async Task What_is_no_key_is_refused_with_a_challenge()
    {
        var (key, _) = await world.A.IssueAsync();
        using var none = await world.A.GetAsync("/page", token: null);
        using var bearer = await world.A.GetAsync("/page", token: key);
        using var query = await world.A.GetAsync($"/page?X-Api-Key={key}&api_key={key}", token: null);
        using var typo = await world.A.WithKeyAsync(key[..^1] + (key[^1] == 'a' ? 'b' : 'a'));
        using var two = await world.A.GetAsync("/page", null, ("X-Api-Key", key), ("X-Api-Key", key));
        using var unknown = await world.A.WithKeyAsync(Gateway.Tokens.ApiKeys.ApiKeyText.Create("gwk", Gateway.Tokens.ApiKeys.ApiKeyText.NewId()));

        foreach (var response in new[] { none, bearer, query })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("ApiKey realm=\"partners\", field=\"X-Api-Key\"", response.Challenge());
        }

        foreach (var (response, why) in new[] { (typo, "malformed"), (two, "malformed"), (unknown, "not known") })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal($"ApiKey realm=\"partners\", field=\"X-Api-Key\", error=\"invalid_token\", error_description=\"The key is {why}\"", response.Challenge());
        }

        Assert.Empty(world.A.Log.Exceptions);
    }

    [Fact]
    public async Task Another_secret_under_a_known_id_is_refused()
    {
        var (key, id) = await world.A.IssueAsync();
        Assert.Equal(200, await world.A.KeyStatusAsync(key));

        Assert.Equal(401, await world.A.KeyStatusAsync(Gateway.Tokens.ApiKeys.ApiKeyText.Create("gwk", id)));
    }

    [Fact]
    public async Task A_key_without_a_required_scope_gets_403()
    {
        await using var node = await world.StartNodeAsync(scheme => scheme["RequiredScopes"] = Scopes);
        var (weak, _) = await node.IssueAsync(new { owner = "alice", scopes = Scopes.Take(1) });
        var (strong, _) = await node.IssueAsync(new { owner = "alice", scopes = Scopes });

        using var response = await node.WithKeyAsync(weak);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("ApiKey realm=\"partners\", field=\"X-Api-Key\", error=\"insufficient_scope\", scope=\"orders:read orders:write\"", response.Challenge());
        Assert.Equal(200, await node.KeyStatusAsync(strong));
    }

    [Fact]
    public async Task A_key_may_be_sent_as_a_bearer_token_and_is_kept_from_the_backend_there_too()
    {
        await using var node = await world.StartNodeAsync(field: "Authorization");
        var path = $"/bearer/{Guid.NewGuid():N}";
        world.Origin.Map(path, "", ("Cache-Control", "no-store"));
        var (key, _) = await node.IssueAsync();

        Assert.Equal(200, await node.StatusAsync(key, path));

        Assert.DoesNotContain("Authorization", world.Origin.Requests.Single(request => request.PathAndQuery == path).Headers.Keys);
        using var refused = await node.GetAsync(path, token: null);
        Assert.Equal("Bearer realm=\"partners\"", refused.Challenge());
    }

    [Fact]
    public async Task Limits_and_cached_responses_differ_by_the_plan_of_a_key()
    {
        var path = $"/plan/{Guid.NewGuid():N}";
        world.Origin.Map(path, context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            return Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, context.Request.Headers["X-Auth-Plan"].ToString());
        });
        var owner = $"{Guid.NewGuid():N}";
        var (gold, _) = await world.A.IssueAsync(new { owner, plan = "gold" });
        var (tiny, _) = await world.A.IssueAsync(new { owner = owner + "2", plan = "tiny" });

        var answers = new List<string>();
        foreach (var key in new[] { gold, tiny, gold, tiny, gold, tiny })
        {
            using var response = await world.A.WithKeyAsync(key, path);
            answers.Add(response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync() : $"{(int)response.StatusCode}");
        }

        Assert.Equal(["gold", "tiny", "gold", "tiny", "gold", "429"], answers);
        Assert.Equal(2, world.Origin.Count(path));
    }

    [Fact]
    public async Task A_key_ends_when_it_was_to_end_for_those_who_know_it_too()
    {
        var (key, _) = await world.A.IssueAsync(new { owner = "alice", expires = TimeProvider.System.GetUtcNow().AddSeconds(3) });
        Assert.Equal(200, await world.A.KeyStatusAsync(key));

        await Eventually.TrueAsync(async () => await world.A.KeyStatusAsync(key) == 401, "the key has ended");
        Assert.Equal(401, await world.B.KeyStatusAsync(key));
    }

    [Fact]
    public async Task Keys_and_introspections_work_on_Redis_Cluster()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var provider = await TestProvider.StartAsync();
        await using var node = await GatewayNode.StartAsync(new
        {
            ReverseProxy = world.Origin.ProxySection(("AuthorizationPolicy", "asked")),
            Redis = new { Configuration = cluster.ConnectionString, Deadline = "00:00:05" },
            Tokens = new
            {
                Schemes = new
                {
                    asked = (object)new { Introspection = new { provider.Endpoint, TestProvider.ClientId, TestProvider.ClientSecret } },
                    partners = new { ApiKeys = new { Enabled = true } },
                },
            },
        });

        var tokens = Enumerable.Range(0, 20).Select(_ => provider.Issue()).ToList();
        foreach (var token in tokens)
            Assert.Equal(200, await node.StatusAsync(token));
        Assert.Equal(20, (await cluster.KeysPerMasterAsync("*token:2:*")).Sum());
        var (_, id) = await node.IssueAsync();
        await node.RotateAsync(id, 60);
        Assert.Contains(id, await node.Admin.GetStringAsync("/api-keys"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await node.Admin.DeleteAsync($"/api-keys/{id}")).StatusCode);
    }

    [Fact]
    public async Task The_embedded_server_keeps_keys_as_Redis_does()
    {
        await using var node = await world.StartNodeAsync(isEmbedded: true);
        var (key, id) = await node.IssueAsync();
        Assert.Equal(200, await node.KeyStatusAsync(key));
        var next = await node.RotateAsync(id, 0);

        Assert.Equal(401, await node.KeyStatusAsync(key));
        Assert.Equal(200, await node.KeyStatusAsync(next));
        Assert.Contains(id, await node.Admin.GetStringAsync("/api-keys"), StringComparison.Ordinal);
        (await node.Admin.DeleteAsync($"/api-keys/{id}")).Dispose();
        Assert.DoesNotContain(id, await node.Admin.GetStringAsync("/api-keys"), StringComparison.Ordinal);
        Assert.Equal(401, await node.KeyStatusAsync(next));
        Assert.Empty(node.Log.Exceptions);
    }
}
