using System.Net;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.IntegrationTests.Sessions;
using Gateway.Tokens;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Tokens;

public sealed class TokenOutageTests : TokenWorld
{
    [Fact]
    public async Task Without_the_issuers_keys_the_answer_is_503_and_never_a_refusal()
    {
        Issuer.IsDown = true;
        await using var node = await StartAsync();
        var token = Issuer.Issue();

        using (var response = await node.GetAsync("/page", token))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
            Assert.Empty(response.Headers.WwwAuthenticate);
        }

        Issuer.IsDown = false;
        await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 200, "the token passes once the keys are there");
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task The_last_good_keys_go_on_and_a_node_without_any_takes_what_others_validated()
    {
        await using var a = await StartAsync();
        var token = Issuer.Issue();
        Assert.Equal(200, await a.StatusAsync(token));

        Issuer.IsDown = true;
        Assert.Equal(200, await a.StatusAsync(Issuer.Issue("bob")));
        await using var b = await StartAsync();
        Assert.Equal(200, await b.StatusAsync(token));
        Assert.Equal(503, await b.StatusAsync(Issuer.Issue("carol")));
    }

    [Fact]
    public async Task Keys_are_read_ahead_whether_or_not_anybody_asks_and_the_same_ones_stay_what_they_are()
    {
        var time = new AdvancedTime();
        await using var node = await TokenNode.StartAsync(Origin, Issuer, Redis, configure: builder => builder.Services.AddSingleton<TimeProvider>(time));
        var keys = node.Services.GetRequiredService<TokenSchemes>().Find("shop")!.Keys!;
        // Asked for is not read: their age counts from when they are here.
        await Eventually.TrueAsync(() => keys.Current is not null, "the keys are read at the start");
        Assert.Equal(200, await node.StatusAsync(Issuer.Issue()));

        time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(200, await node.StatusAsync(Issuer.Issue(change: ("iat", time.GetUtcNow().ToUnixTimeSeconds()))));
        Assert.Equal(1, Issuer.Reads);
        var before = keys.Current;
        time.Advance(TimeSpan.FromMinutes(1));

        await Eventually.TrueAsync(() => Issuer.Reads == 2, "they are read before they are old");
        // Refusals that were made with them still hold.
        Assert.Same(before, keys.Current);
    }

    [Fact]
    public async Task The_last_good_keys_outlast_a_reload_while_the_issuer_is_away()
    {
        await using var node = await StartAsync();
        Assert.Equal(200, await node.StatusAsync(Issuer.Issue()));
        Issuer.IsDown = true;

        await node.ReloadAsync(TokenNode.Config(Origin, Issuer, scheme => scheme["CacheDuration"] = "00:01:00"));

        Assert.Equal(200, await node.StatusAsync(Issuer.Issue("bob")));
    }

    [Fact]
    public async Task A_key_not_seen_before_is_no_refusal_while_the_issuer_cannot_be_asked_about_it()
    {
        var time = new AdvancedTime();
        await using var node = await TokenNode.StartAsync(Origin, Issuer, Redis, configure: builder => builder.Services.AddSingleton<TimeProvider>(time));
        Assert.Equal(200, await node.StatusAsync(Issuer.Issue()));
        Issuer.IsDown = true;
        Issuer.Rotate();

        // As long as the pause between two readings.
        time.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(503, await node.StatusAsync(Issuer.Issue()));

        Issuer.IsDown = false;
        time.Advance(TimeSpan.FromSeconds(15));
        await Eventually.TrueAsync(async () => await node.StatusAsync(Issuer.Issue()) == 200, "the new key is read");
    }

    [Fact]
    public async Task A_result_whose_key_left_the_key_set_is_not_used()
    {
        await using var a = await StartAsync();
        var token = Issuer.Issue();
        Assert.Equal(200, await a.StatusAsync(token));

        Issuer.Rotate();
        await using var b = await StartAsync();
        Assert.Equal(200, await b.StatusAsync(Issuer.Issue()));

        Assert.Equal(401, await b.StatusAsync(token));
    }

    [Fact]
    public async Task Without_Redis_known_tokens_go_on_and_unknown_ones_are_validated_here()
    {
        await using var node = await StartAsync();
        var (known, revoked) = (Issuer.Issue(), Issuer.Issue("bob"));
        Assert.Equal(200, await node.StatusAsync(known));
        (await node.RevokeAsync(new { token = revoked })).Dispose();
        await Redis.KillAsync();

        Assert.Equal(200, await node.StatusAsync(known));
        Assert.Equal(200, await node.StatusAsync(Issuer.Issue("carol")));
        Assert.Equal(401, await node.StatusAsync(revoked));
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task A_scheme_that_demands_to_know_revocations_answers_503_once_the_lease_is_lost()
    {
        await using var node = await StartAsync(scheme => scheme["WhenRevocationUnknown"] = "Deny");
        var token = Issuer.Issue();
        await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 200, "the node has a lease");

        await Redis.KillAsync();
        await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 503, "the lease is lost");
        using (var response = await node.GetAsync("/page", token))
            Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        Assert.Equal(401, await node.StatusAsync("a.b.c"));

        await Redis.RestartAsync();
        await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 200, "the lease is back");
    }

    private Task<GatewayNode> StartAsync(Action<Dictionary<string, object>>? scheme = null) => TokenNode.StartAsync(Origin, Issuer, Redis, scheme);
}
