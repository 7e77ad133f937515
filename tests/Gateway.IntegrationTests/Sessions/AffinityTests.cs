using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Sessions;

public sealed class AffinityTests
{
    [Fact]
    public async Task Sessions_stay_with_their_backends_over_both_gateways()
    {
        await using var world = await SessionsWorld.StartAsync();
        var visits = new Dictionary<Shopper, string>();
        for (var i = 0; i < 12; i++)
        {
            var shopper = new Shopper();
            visits[shopper] = await shopper.VisitAsync(world.Nodes[i % 2]);
        }

        Assert.Equal(["a", "b", "c"], visits.Values.Distinct().Order());
        for (var i = 0; i < 10; i++)
        {
            foreach (var (shopper, backend) in visits)
            {
                Assert.Equal(backend, await shopper.VisitAsync(world.Nodes[i % 2]));
                Assert.Empty(shopper.LastSet);
            }
        }

        Assert.Equal(visits.Count, (await world.RecordsAsync()).Count);
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task A_session_is_recorded_when_its_cookie_first_returns_and_not_before()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2);
        var shopper = new Shopper();
        for (var i = 0; i < 20; i++)
            await new Shopper().VisitAsync(world.Nodes[i % 2]);
        await shopper.VisitAsync(world.A);
        Assert.Empty(await world.RecordsAsync());

        await shopper.VisitAsync(world.B);

        var record = Assert.Single(await world.RecordsAsync());
        var left = await (await world.DatabaseAsync()).KeyTimeToLiveAsync(record);
        Assert.InRange(left!.Value, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(30));
        Assert.DoesNotContain(shopper[SessionsWorld.CookieName]!, record.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_known_session_costs_no_call_and_is_refreshed_once_per_quarter()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2, nodes: 0);
        var time = new AdvancedTime();
        var node = await world.AddNodeAsync(world.Config(), time: time);
        var shopper = new Shopper();
        var backend = await shopper.VisitAsync(node);
        await shopper.VisitAsync(node);

        // What only a call could bring back stays away.
        var database = await world.DatabaseAsync();
        await database.KeyDeleteAsync(Assert.Single(await world.RecordsAsync()));
        time.Advance(TimeSpan.FromMinutes(7));
        Assert.Equal(backend, await shopper.VisitAsync(node));
        Assert.Empty(await world.RecordsAsync());

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(backend, await shopper.VisitAsync(node));
        await database.KeyDeleteAsync(Assert.Single(await world.RecordsAsync()));
        Assert.Equal(backend, await shopper.VisitAsync(node));
        Assert.Empty(await world.RecordsAsync());
    }

    [Fact]
    public async Task The_cookie_is_http_only_lax_and_secure_under_https()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 1, nodes: 0);
        var node = await world.AddNodeAsync(world.Config(), ["--ForwardedHeaders:KnownProxies:0=127.0.0.1"]);
        var shopper = new Shopper();

        await shopper.VisitAsync(node);
        var plain = Assert.Single(shopper.LastSet);
        await new Shopper().VisitAsync(node);
        var secure = new Shopper();
        await secure.VisitAsync(node, "/catalog/1", ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.1"));

        Assert.EndsWith("; path=/; samesite=lax; httponly", plain, StringComparison.Ordinal);
        Assert.EndsWith("; path=/; secure; samesite=lax; httponly", Assert.Single(secure.LastSet), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cookie_options_of_the_cluster_are_honoured()
    {
        var cookie = new { Path = "/catalog", Domain = "shop.example", HttpOnly = false, SameSite = "Strict", SecurePolicy = "Always", MaxAge = "01:00:00", Expiration = "01:00:00" };
        await using var world = await SessionsWorld.StartAsync(backends: 1, nodes: 1, affinity: [("Cookie", cookie)]);
        var shopper = new Shopper();

        await shopper.VisitAsync(world.A);

        var set = Assert.Single(shopper.LastSet);
        Assert.Contains("; expires=", set, StringComparison.Ordinal);
        Assert.Contains("; max-age=3600; domain=shop.example; path=/catalog; secure; samesite=strict", set, StringComparison.Ordinal);
        Assert.DoesNotContain("httponly", set, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_clients_of_a_cached_route_never_share_a_cookie()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2);
        var first = new Shopper();
        await first.VisitAsync(world.A, "/cached/catalog/1");
        Assert.Single(first.LastSet);

        foreach (var node in world.Nodes)
        {
            var second = new Shopper();
            using var hit = await second.SendAsync(node, HttpMethod.Get, "/cached/catalog/1");
            Assert.Contains("; hit;", string.Join(", ", hit.Headers.GetValues("Cache-Status")), StringComparison.Ordinal);
            Assert.Empty(second.LastSet);
        }

        // Nor by joining a fetch that is under way.
        var together = Enumerable.Range(0, 10).Select(_ => new Shopper()).ToArray();
        await Task.WhenAll(together.Select((shopper, i) => shopper.VisitAsync(world.Nodes[i % 2], "/cached/catalog/2")));
        var cookies = together.Select(shopper => shopper[SessionsWorld.CookieName]).OfType<string>().ToArray();
        Assert.Equal(cookies.Distinct(), cookies);
    }

    [Fact]
    public async Task A_header_can_name_the_session_without_any_cookie()
    {
        var sessions = new { KeyFrom = new Dictionary<string, string> { ["shop"] = "Header:X-Device" } };
        await using var world = await SessionsWorld.StartAsync(sessions: sessions);
        var backends = new HashSet<string>();
        for (var device = 0; device < 6; device++)
        {
            var shopper = new Shopper();
            var first = await shopper.VisitAsync(world.A, "/catalog/1", ("X-Device", $"secret-{device}"));
            Assert.Equal(first, await shopper.VisitAsync(world.B, "/catalog/1", ("X-Device", $"secret-{device}")));
            Assert.Equal(first, await shopper.VisitAsync(world.A, "/catalog/1", ("X-Device", $"secret-{device}")));
            Assert.Empty(shopper.LastSet);
            backends.Add(first);
        }

        Assert.Equal(3, backends.Count);
        var records = await world.RecordsAsync();
        Assert.Equal(6, records.Count);
        Assert.All(records, record => Assert.DoesNotContain("secret", record.ToString(), StringComparison.Ordinal));
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task The_embedded_server_keeps_sessions_drains_and_moves_them()
    {
        await using var world = await SessionsWorld.StartAsync(nodes: 0);
        await using var node = await GatewayNode.StartAsync(world.Config());
        var shopper = new Shopper();
        var backend = await shopper.VisitAsync(node);
        Assert.Equal(backend, await shopper.VisitAsync(node));

        using var content = new StringContent($$"""{"cluster":"shop","destination":"{{backend}}"}""", System.Text.Encoding.UTF8, "application/json");
        using var drain = await node.Admin.PostAsync("/sessions/drain", content);
        Assert.Equal(System.Net.HttpStatusCode.NoContent, drain.StatusCode);
        Assert.Equal(backend, await shopper.VisitAsync(node));
        for (var i = 0; i < 4; i++)
            Assert.NotEqual(backend, await new Shopper().VisitAsync(node));
        using var ended = await node.Admin.DeleteAsync($"/sessions/drain?cluster=shop&destination={backend}");
        Assert.Equal(System.Net.HttpStatusCode.NoContent, ended.StatusCode);

        await node.ReloadAsync(world.Config(without: backend));
        var moved = await shopper.VisitAsync(node);
        await node.ReloadAsync(world.Config());

        Assert.NotEqual(backend, moved);
        Assert.Equal(moved, await shopper.VisitAsync(node));
        Assert.DoesNotContain(node.Log.Events, logged => logged.Category.StartsWith("Gateway.Redis", StringComparison.Ordinal));
    }
}
