using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.IntegrationTests.Tokens;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

public sealed class ExplainTests() : TwoNodeTests(new { QueryKeys = new { Drop = new[] { "utm_*" } } })
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Origin.Map("/x", "body", ("Cache-Control", "max-age=60"), ("Surrogate-Key", "red blue"), ("Vary", "Accept-Language"), ("ETag", "\"1\""));
    }

    public override Task DisposeAsync()
    {
        Assert.Empty(A.Log.Exceptions);
        return base.DisposeAsync();
    }

    [Fact]
    public async Task It_says_what_the_next_request_then_meets_and_asks_no_origin()
    {
        Assert.Equal("forward not-stored", await OutcomeAsync(A, "/x"));
        Assert.Equal(0, Origin.Count("/x"));

        Assert.Contains("uri-miss", (await A.GetAsync("/x", ("Accept-Language", "de"))).CacheStatus(), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => await OutcomeAsync(A, "/x", ("Accept-Language", "de")) == "serve fresh", "stored");
        Assert.Equal("forward variant-not-stored", await OutcomeAsync(A, "/x", ("Accept-Language", "en")));
        Assert.Equal("revalidate request-no-cache", await OutcomeAsync(A, "/x", ("Accept-Language", "de"), ("Cache-Control", "no-cache")));
        Assert.Equal("refuse only-if-cached", await OutcomeAsync(A, "/x", ("Cache-Control", "only-if-cached")));
        Assert.Equal("forward request-precondition", await OutcomeAsync(A, "/x", ("If-Match", "\"1\"")));
        Assert.Equal("forward method", await OutcomeAsync(A, "/x", "POST"));
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task It_shows_the_stored_response_its_key_variants_tags_and_tier()
    {
        await A.GetAsync("/x?utm_source=me", ("Accept-Language", "de"));
        await Eventually.TrueAsync(async () => (await ExplainAsync(B, "/x?utm_medium=mail", ("Accept-Language", "de"))).GetProperty("outcome").GetString() == "serve", "stored");
        await Eventually.TrueAsync(async () => (await ExplainAsync(A, "/x")).GetProperty("changes").GetProperty("hasLease").GetBoolean(), "the node has a lease");

        var other = await ExplainAsync(B, "/x?utm_medium=mail", ("Accept-Language", "de"));
        Assert.Equal("redis", other.GetProperty("tier").GetString());
        Assert.Equal(JsonValueKind.Null, other.GetProperty("memory").ValueKind);

        var own = await ExplainAsync(A, "/x", ("Accept-Language", "de"));
        Assert.Equal("memory", own.GetProperty("tier").GetString());
        Assert.Equal("all", own.GetProperty("route").GetString());
        Assert.Equal("origin", own.GetProperty("policy").GetString());
        Assert.Equal($"http://{CacheTestNode.Host}/x", own.GetProperty("url").GetString());
        Assert.Equal(64, own.GetProperty("key").GetString()!.Length);
        Assert.Equal(other.GetProperty("key").GetString(), own.GetProperty("key").GetString());
        Assert.False(own.GetProperty("fetch").GetProperty("isLockHeld").GetBoolean());
        Assert.True(own.GetProperty("changes").GetProperty("hasLease").GetBoolean());

        var memory = own.GetProperty("memory");
        Assert.Equal(["red", "blue"], memory.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
        Assert.Equal(["accept-language"], memory.GetProperty("varyBy").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal((60, 4, "current"), (memory.GetProperty("lifetimeSeconds").GetInt32(), memory.GetProperty("bodyBytes").GetInt32(), memory.GetProperty("changes").GetString()));
        Assert.Contains(memory.GetProperty("key").GetString(), own.GetProperty("variants").GetProperty("keys").EnumerateArray().Select(key => key.GetString()));
    }

    [Fact]
    public async Task It_says_that_a_purge_concerns_a_stored_response_and_leaves_it_where_it_is()
    {
        await A.GetAsync("/x", ("Accept-Language", "de"));
        await Eventually.TrueAsync(async () => await OutcomeAsync(A, "/x", ("Accept-Language", "de")) == "serve fresh", "stored");
        using (await A.Admin.PostAsJsonAsync("/cache/purge?wait=true", new { tag = "red" }))
        {
            // The same answer twice: explaining changes nothing.
            for (var i = 0; i < 2; i++)
            {
                var purged = await ExplainAsync(A, "/x", ("Accept-Language", "de"));
                Assert.Equal("invalidated", purged.GetProperty("reason").GetString());
                Assert.Equal("changed", purged.GetProperty("memory").GetProperty("changes").GetString());
            }
        }

        Assert.Contains("detail=invalidated", (await A.GetAsync("/x", ("Accept-Language", "de"))).CacheStatus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_says_who_is_fetching()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Origin.Map("/slow", async context =>
        {
            await answer.Task;
            await context.Response.WriteAsync("slow");
        });
        var fetching = A.GetAsync("/slow");
        await Eventually.TrueAsync(async () => await FetchAsync(A) == (true, true), "this node fetches");
        Assert.Equal((false, true), await FetchAsync(B));
        answer.SetResult();
        (await fetching).Dispose();

        async Task<(bool Here, bool Lock)> FetchAsync(GatewayNode node)
        {
            var fetch = (await ExplainAsync(node, "/slow")).GetProperty("fetch");
            return (fetch.GetProperty("isUnderWayHere").GetBoolean(), fetch.GetProperty("isLockHeld").GetBoolean());
        }
    }

    [Fact]
    public async Task A_refusal_before_the_cache_is_explained_too()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var node = await TokenNode.StartAsync(Origin, issuer, Redis);

        Assert.Equal("refuse", (await ExplainAsync(node, "/x")).GetProperty("outcome").GetString());
        var admitted = await ExplainAsync(node, "/x", ("Authorization", "Bearer " + issuer.Issue()));
        Assert.Equal(("forward", true), (admitted.GetProperty("outcome").GetString(), admitted.GetProperty("isAuthorized").GetBoolean()));
    }

    [Fact]
    public async Task What_no_route_or_policy_covers_is_not_cached()
    {
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = Origin.ProxySection() }, Redis.ConnectionString);
        Assert.Equal("not-cached The route names no OutputCachePolicy.", await OutcomeAsync(node, "/x"));

        await using var empty = await GatewayNode.StartAsync(redis: Redis.ConnectionString);
        Assert.Equal("not-cached No route matches.", await OutcomeAsync(empty, "/x"));
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"url":"/x"}""")]
    [InlineData("""{"url":"ftp://shop.example/x"}""")]
    [InlineData("""{"url":"http://user:secret@shop.example/x"}""")]
    [InlineData("""{"url":"http://shop.example/x","method":"G T"}""")]
    [InlineData("""{"url":"http://shop.example/x","fields":{"a b":"c"}}""")]
    [InlineData("""{"url":"http://shop.example/x","fields":{"a":"b\r\nc: d"}}""")]
    [InlineData("""{"url":"http://shop.example/x","fields":{"Host":"other.example"}}""")]
    [InlineData("""{"url":"http://shop.example/x","fields":{"a":null}}""")]
    [InlineData("""{"url":"http://shop.example/x","fields":[]}""")]
    [InlineData("not json")]
    public async Task What_is_no_request_is_refused(string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var answer = await A.Admin.PostAsync("/cache/explain", content);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_request_that_is_too_long_is_refused()
    {
        var answer = await A.Admin.PostAsJsonAsync("/cache/explain", new { url = "http://shop.example/x", fields = new { a = new string('a', 70_000) } });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("forward target", await OutcomeAsync(A, "/" + new string('x', 20_000)));
    }

    private static Task<string> OutcomeAsync(GatewayNode node, string path, params (string Name, string Value)[] fields) => OutcomeAsync(node, path, "GET", fields);

    private static async Task<string> OutcomeAsync(GatewayNode node, string path, string method, params (string Name, string Value)[] fields)
    {
        var explanation = await ExplainAsync(node, path, method, fields);
        return $"{explanation.GetProperty("outcome").GetString()} {explanation.GetProperty("reason").GetString()}";
    }

    private static Task<JsonElement> ExplainAsync(GatewayNode node, string path, params (string Name, string Value)[] fields) => ExplainAsync(node, path, "GET", fields);

    private static async Task<JsonElement> ExplainAsync(GatewayNode node, string path, string method, (string Name, string Value)[] fields)
    {
        var answer = await node.Admin.PostAsJsonAsync(
            "/cache/explain", new { url = $"http://{CacheTestNode.Host}{path}", method, fields = fields.ToDictionary(field => field.Name, field => field.Value) });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
