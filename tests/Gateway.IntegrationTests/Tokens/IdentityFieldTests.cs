using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class IdentityFieldTests : TokenWorld
{
    private static readonly string[] Roles = ["a,b", "c d"];
    private static readonly string[] Scopes = ["read", "admin"];
    private static readonly string[] OtherScopes = ["root"];

    [Theory]
    [InlineData("X-Auth-Subject")]
    [InlineData("x-auth-subject")]
    [InlineData("X_Auth_Subject")]
    [InlineData("X-Auth_Subject")]
    [InlineData("X-Auth-Anything")]
    public async Task Only_the_gateway_says_who_asks(string field)
    {
        await using var open = await GatewayNode.StartAsync(new { ReverseProxy = Origin.ProxySection() }, Redis.ConnectionString);
        await using var guarded = await TokenNode.StartAsync(Origin, Issuer, Redis);

        using var anonymous = await open.GetAsync("/page", token: null, (field, "root"));
        using var authenticated = await guarded.GetAsync("/page", Issuer.Issue("alice"), (field, "root"));

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK], new[] { anonymous.StatusCode, authenticated.StatusCode });
        var received = Origin.Requests.Select(request => request.Headers.Where(sent => sent.Value.Contains("root", StringComparison.Ordinal))).ToList();
        Assert.Equal(2, received.Count);
        Assert.All(received, Assert.Empty);
        Assert.Equal("alice", Origin.Requests[1].Headers["X-Auth-Subject"]);
    }

    [Fact]
    public async Task Claims_of_several_values_and_strange_characters_arrive_whole()
    {
        await using var node = await TokenNode.StartAsync(Origin, Issuer, Redis, scheme => scheme["Forward"] = new[]
        {
            new { Claim = "sub", Field = "X-Auth-Subject" }, new { Claim = "roles", Field = "X-Auth-Roles" },
            new { Claim = "level", Field = "X-Auth-Level" }, new { Claim = "absent", Field = "X-Auth-Absent" },
        });

        Assert.Equal(200, await node.StatusAsync(Issuer.Issue("Zoë, 100%\r\nX-Admin: 1", change: [("roles", Roles), ("level", 7)])));

        var fields = Origin.Requests.Single().Headers;
        Assert.Equal("Zo%C3%AB%2C 100%25%0D%0AX-Admin: 1", fields["X-Auth-Subject"]);
        Assert.Equal("a%2Cb,c d", fields["X-Auth-Roles"]);
        Assert.Equal("7", fields["X-Auth-Level"]);
        Assert.DoesNotContain("X-Auth-Absent", fields.Keys);
        Assert.DoesNotContain("X-Admin", fields.Keys);
    }

    [Fact]
    public async Task A_token_without_a_required_scope_gets_403()
    {
        await using var node = await TokenNode.StartAsync(Origin, Issuer, Redis, scheme => scheme["RequiredScopes"] = Scopes);

        using var response = await node.GetAsync("/page", Issuer.Issue());

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("Bearer realm=\"shop\", error=\"insufficient_scope\", scope=\"read admin\"", response.Challenge());
        var admin = Issuer.Issue(change: ("scope", "read admin"));
        Assert.Equal(200, await node.StatusAsync(admin));
        Assert.Equal(200, await node.StatusAsync(admin));

        // A token that this node knows already is held to a requirement that comes later.
        var status = await node.ReloadAsync(TokenNode.Config(Origin, Issuer, scheme => scheme["RequiredScopes"] = OtherScopes));
        Assert.Empty(status.LastErrors);
        Assert.Equal(403, await node.StatusAsync(admin));
    }

    [Fact]
    public async Task A_token_opens_only_the_routes_that_name_its_scheme_and_identifies_nobody_elsewhere()
    {
        await using var node = await GatewayNode.StartAsync(
            new
            {
                ReverseProxy = Origin.ProxySection(),
                Tokens = new { Schemes = new { shop = new { TestIssuer.Issuer, TestIssuer.Audience, Issuer.JwksUri, Forward = new[] { new { Claim = "sub", Field = "X-Auth-Subject" } } } } },
            },
            Redis.ConnectionString);

        Assert.Equal(200, await node.StatusAsync(Issuer.Issue()));
        Assert.Equal(200, await node.StatusAsync("garbage"));
        Assert.All(Origin.Requests, request => Assert.DoesNotContain("X-Auth-Subject", request.Headers.Keys));
    }

    [Theory]
    [InlineData("Issuer", "\"https://other.example\"")]
    [InlineData("Algorithms", "[\"ES256\"]")]
    [InlineData("Types", "[\"JWT\"]")]
    [InlineData("MaxLifetime", "\"00:05:00\"")]
    public async Task A_known_token_is_refused_once_the_scheme_would_not_accept_it_any_more(string option, string value)
    {
        await using var node = await TokenNode.StartAsync(Origin, Issuer, Redis);
        var token = Issuer.Issue();
        Assert.Equal(200, await node.StatusAsync(token));

        var status = await node.ReloadAsync(TokenNode.Config(Origin, Issuer, scheme => scheme[option] = System.Text.Json.Nodes.JsonNode.Parse(value)!));

        Assert.Empty(status.LastErrors);
        Assert.Equal(401, await node.StatusAsync(token));
    }

    [Fact]
    public async Task A_reload_adds_schemes_and_changes_what_they_accept()
    {
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = Origin.ProxySection() }, Redis.ConnectionString);
        Assert.Equal(200, await node.StatusAsync(token: null));

        var status = await node.ReloadAsync(TokenNode.Config(Origin, Issuer));
        Assert.Empty(status.LastErrors);
        var token = Issuer.Issue();
        Assert.Equal(401, await node.StatusAsync(token: null));
        Assert.Equal(200, await node.StatusAsync(token));

        status = await node.ReloadAsync(TokenNode.Config(Origin, Issuer, scheme => scheme["Audience"] = "bank"));
        Assert.Empty(status.LastErrors);
        Assert.Equal(401, await node.StatusAsync(token));
        Assert.Equal(200, await node.StatusAsync(Issuer.Issue(change: ("aud", "bank"))));

        status = await node.ReloadAsync(new { ReverseProxy = Origin.ProxySection(("AuthorizationPolicy", "nowhere")) });
        Assert.Contains(status.LastErrors, error => error.Contains("nowhere", StringComparison.Ordinal));
    }
}
