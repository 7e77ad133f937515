using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.IntegrationTests.Sessions;

namespace Gateway.IntegrationTests.Chaos;

/// <summary>Uses every feature that is given a secret, on two nodes, and then looks for the secrets wherever something is kept or told.</summary>
public sealed class SecretSearchTests : IAsyncLifetime, IDisposable
{
    private const string AdminKey = "admin-key-4f81d2c07b";
    private const string ClientKey = "client-key-93ac17e5d0";
    private const string LinkPassword = "open-sesame-61b0";

    private readonly EveryMessage _log = new();
    private readonly EverySignal _signals = new();
    private readonly List<(string What, string Secret)> _secrets =
    [
        ("the admin key", AdminKey), ("a wrong admin key", "not-the-admin-key-77"), ("the key of a client", ClientKey),
        ("the client secret for introspection", "gatekeeper"), ("the same as it is sent", "Z2F0ZXdheTpnYXRla2VlcGVy"),
        ("the password of a link", LinkPassword), ("a wrong password", "open-barley-5c"), ("the password of a user", "wonderland"),
    ];

    private RedisServer _redis = null!;
    private StorefrontWorld _world = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _world = await StorefrontWorld.StartAsync(_redis.ConnectionString, Arguments(), builder => _log.Capture(builder.Logging));
    }

    public async Task DisposeAsync()
    {
        await _world.DisposeAsync();
        await _redis.DisposeAsync();
    }

    public void Dispose()
    {
        _signals.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task No_token_cookie_password_or_key_is_in_Redis_logs_metrics_or_traces()
    {
        await UseTokensAsync();
        await UseApiKeysAsync();
        await UseCartAsync();
        await UseLinksAsync();
        await UseSignInAsync();
        using (await AdminAsync(HttpMethod.Get, "/nodes", key: "not-the-admin-key-77")) { }
        using (await AdminAsync(HttpMethod.Post, "/cache/purge", new { all = true })) { }

        var kept = await _redis.ReadEverythingAsync();
        // That what would be found is there.
        Assert.Contains(kept, text => text.StartsWith("gateway:token:", StringComparison.Ordinal));
        Assert.Contains(kept, text => text.StartsWith("gateway:session:", StringComparison.Ordinal));
        Assert.Contains(kept, text => text.StartsWith("storefront:session:", StringComparison.Ordinal));
        Assert.Contains(kept, text => text.StartsWith("gateway:affinity:", StringComparison.Ordinal));
        Assert.Contains(kept, text => text.StartsWith("gateway:limit:", StringComparison.Ordinal));
        Assert.Contains(_log.Messages, text => text.Contains("/account", StringComparison.Ordinal));
        Assert.Contains(_signals.Labels, text => text.StartsWith("gateway.tokens.requests", StringComparison.Ordinal));
        Assert.Contains(_signals.Traced, text => text.Contains("http.route", StringComparison.Ordinal));
        Assert.True(_secrets.Count >= 20, $"{_secrets.Count} secrets were used.");
        var places = new (string Name, IEnumerable<string> Texts)[]
        {
            ("Redis", kept), ("a log", _log.Messages), ("a metric", _signals.Labels), ("a trace", _signals.Traced),
        };
        var found = from place in places
                    from text in place.Texts
                    from secret in _secrets
                    where text.Contains(secret.Secret, StringComparison.Ordinal)
                    select $"{secret.What} in {place.Name}: {text[..Math.Min(text.Length, 300)]}";
        Assert.Empty(found.Take(10));
    }

    private static string[] Arguments() =>
    [
        $"--Admin:ApiKey={AdminKey}", "--RateLimiter:Policies:per-client:Limits:0:By:1=Header:X-Api-Key",
        // So that its counters are still there at the end.
        "--RateLimiter:Policies:per-client:Limits:0:Window=01:00:00",
        // Nobody is there: what counts is that spans are made, with all that the instrumentation puts into them.
        $"--Telemetry:OtlpEndpoint=http://127.0.0.1:{FreePort.Next()}",
    ];

    private async Task UseTokensAsync()
    {
        using var form = new FormUrlEncodedContent([new("grant_type", "password"), new("username", "alice"), new("password", "wonderland")]);
        using (var issued = await _world.NodeA.Public.PostAsync("/identity/token", form))
            Assert.Equal(HttpStatusCode.OK, issued.StatusCode);
        var (good, revoked) = (await _world.IssueTokenAsync("alice", "wonderland"), await _world.IssueTokenAsync("bob", "builder"));
        var forged = good[..^8] + "AAAAAAAA";
        foreach (var (what, token) in new[] { ("a token", good), ("a revoked token", revoked), ("a forged token", forged) })
        {
            _secrets.AddRange(token.Split('.').Skip(1).Select(part => (what, part)));
            foreach (var node in Nodes)
                using (await AskAsync(node, HttpMethod.Get, "/account", ("Authorization", "Bearer " + token))) { }
            using var asked = await AskAsync(_world.NodeB, HttpMethod.Get, "/introspected", ("Authorization", "Bearer " + token));
            Assert.Equal(what == "a forged token" ? HttpStatusCode.Unauthorized : HttpStatusCode.OK, asked.StatusCode);
        }

        using var answer = await AdminAsync(HttpMethod.Post, "/tokens/revoke?wait=true", new { token = revoked });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var node in Nodes)
        {
            using var refused = await AskAsync(node, HttpMethod.Get, "/account", ("Authorization", "Bearer " + revoked));
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }
    }

    private async Task UseApiKeysAsync()
    {
        using var made = await AdminAsync(HttpMethod.Post, "/api-keys", new { owner = "acme" });
        var (first, id) = await ReadKeyAsync(made);
        using var rotated = await AdminAsync(HttpMethod.Post, $"/api-keys/{id}/rotate", new { overlapSeconds = 600 });
        var (second, _) = await ReadKeyAsync(rotated);
        foreach (var (key, status) in new[] { (first, 200), (second, 200), (second[..^1], 401) })
        {
            using var page = await AskAsync(_world.NodeB, HttpMethod.Get, "/partners", ("X-Api-Key", key));
            Assert.Equal(status, (int)page.StatusCode);
        }

        using (await AdminAsync(HttpMethod.Delete, $"/api-keys/{id}")) { }
    }

    // The id is no secret; what follows it is.
    private async Task<(string Key, string Id)> ReadKeyAsync(HttpResponseMessage answer)
    {
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        var (key, id) = (body.GetProperty("key").GetString()!, body.GetProperty("apiKey").GetProperty("id").GetString()!);
        _secrets.Add(("an API key", key[(key.LastIndexOf('_') + 1)..^1]));
        return (key, id);
    }

    private async Task UseCartAsync()
    {
        var shopper = new Shopper();
        for (var i = 0; i < 4; i++)
        {
            using var item = JsonContent.Create(new { productId = "3", quantity = 1 });
            using var added = await shopper.SendAsync(Nodes[i % 2], HttpMethod.Post, "/cart/items", item, ("X-Api-Key", ClientKey));
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
            _secrets.AddRange(shopper.LastSet.Select(cookie => ("a cookie", cookie.Split(';')[0].Split('=', 2)[1])));
        }

        foreach (var name in _secrets.Where(secret => secret.What == "a cookie").Select(secret => secret.Secret).ToArray())
            using (await AskAsync(_world.NodeB, HttpMethod.Get, "/cart", ("Cookie", $"forged={name[..^4]}AAAA; storefront-session={name[..^4]}AAAA"))) { }
    }

    private async Task UseLinksAsync()
    {
        using (var made = await AdminAsync(HttpMethod.Post, "/links", new { slug = "locked", target = "https://example.com/", password = LinkPassword }))
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        foreach (var password in new[] { "open-barley-5c", LinkPassword })
        {
            using var form = new FormUrlEncodedContent([new("password", password)]);
            using var answer = await _world.NodeB.Public.PostAsync("/s/locked", form);
            Assert.Equal(password == LinkPassword ? HttpStatusCode.SeeOther : HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    private async Task UseSignInAsync()
    {
        await using var app = await SignInApp.StartAsync(_redis.ConnectionString, logging: _log.Capture);
        var (browser, other) = (new Browser(), new Browser());
        foreach (var user in new[] { "alice", "bob", "alice" })
        {
            await browser.SignInAsync(app, user);
            _secrets.Add(("a cookie of a sign-in", browser.Cookie!));
            Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(app));
        }

        await other.SignInAsync(app, "carol");
        _secrets.Add(("a cookie of a sign-in", other.Cookie!));
        using (await other.SendAsync(app, HttpMethod.Post, "/sign-out")) { }
        using var listed = await AdminAsync(HttpMethod.Get, "/sessions?subject=alice");
        Assert.Equal(HttpStatusCode.OK, listed.StatusCode);
        _secrets.AddRange(_secrets.Where(secret => secret.What == "a cookie").Select(secret => ("what begins a cookie", secret.Secret[..40])).ToArray());
    }

    private GatewayNode[] Nodes => [_world.NodeA, _world.NodeB];

    private static async Task<HttpResponseMessage> AskAsync(GatewayNode node, HttpMethod method, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await node.Public.SendAsync(request);
    }

    private async Task<HttpResponseMessage> AdminAsync(HttpMethod method, string path, object? body = null, string key = AdminKey)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Add("X-Api-Key", key);
        return await _world.NodeA.Admin.SendAsync(request);
    }
}
