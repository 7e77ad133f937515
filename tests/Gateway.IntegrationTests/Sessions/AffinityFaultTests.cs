using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Sessions.Affinity;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Sessions;

public sealed class AffinityFaultTests
{
    [Fact]
    public async Task A_session_of_a_removed_destination_is_moved_once_and_both_gateways_agree()
    {
        await using var world = await SessionsWorld.StartAsync();
        var shopper = new Shopper();
        var lost = await shopper.VisitAsync(world.A);
        await shopper.VisitAsync(world.B);
        await world.A.ReloadAsync(world.Config(without: lost));
        await world.B.ReloadAsync(world.Config(without: lost));

        // All at once, over both, with the old cookie: the first one decides for all.
        var tabs = Enumerable.Range(0, 20).Select(_ => shopper.Clone()).ToArray();
        var visited = await Task.WhenAll(tabs.Select((tab, i) => tab.VisitAsync(world.Nodes[i % 2])));

        var moved = Assert.Single(visited.Distinct());
        Assert.NotEqual(lost, moved);
        Assert.Equal($"1 {moved}", (string?)await (await world.DatabaseAsync()).StringGetAsync(Assert.Single(await world.RecordsAsync())));

        // Back again: nobody returns to it.
        await world.A.ReloadAsync(world.Config());
        await world.B.ReloadAsync(world.Config());
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(moved, await shopper.VisitAsync(world.Nodes[i % 2]));
            Assert.Equal(moved, await tabs[i].VisitAsync(world.Nodes[i % 2]));
        }

        world.AssertNoExceptions();
    }

    [Fact]
    public async Task A_move_on_one_gateway_is_known_to_the_other_one_that_knew_the_session()
    {
        await using var world = await SessionsWorld.StartAsync();
        var shopper = new Shopper();
        var first = await shopper.VisitAsync(world.A);
        Assert.Equal(first, await shopper.VisitAsync(world.A));
        var oldTab = shopper.Clone();

        // Only B misses the destination; A could still use it.
        await world.B.ReloadAsync(world.Config(without: first));
        var moved = await shopper.VisitAsync(world.B);

        Assert.NotEqual(first, moved);
        Assert.NotEmpty(shopper.LastSet);
        // With the old cookie, from which A cannot learn of it.
        await Eventually.TrueAsync(async () => await oldTab.Clone().VisitAsync(world.A) == moved, "A follows the move", TimeSpan.FromSeconds(1));
        Assert.Equal(moved, await shopper.VisitAsync(world.A));
    }

    [Fact]
    public async Task The_failure_policy_can_refuse_instead()
    {
        (string, object)[] refuse = [("FailurePolicy", "Return503Error")];
        await using var world = await SessionsWorld.StartAsync(affinity: refuse);
        var shopper = new Shopper();
        var lost = await shopper.VisitAsync(world.A);
        await shopper.VisitAsync(world.A);
        await world.A.ReloadAsync(world.Config(without: lost, affinity: refuse));

        using var refused = await shopper.SendAsync(world.A, HttpMethod.Get, "/catalog/1");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType!.MediaType);
        Assert.Equal(lost, await shopper.VisitAsync(world.B));
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task Without_redis_the_cookie_decides_also_after_a_move()
    {
        await using var world = await SessionsWorld.StartAsync();
        var known = new Shopper();
        var fresh = new Shopper();
        var backend = await known.VisitAsync(world.A);
        await known.VisitAsync(world.A);
        await world.Redis.KillAsync();

        var begun = await fresh.VisitAsync(world.A);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(backend, await known.VisitAsync(world.Nodes[i % 2]));
            Assert.Equal(begun, await fresh.VisitAsync(world.Nodes[i % 2]));
        }

        foreach (var node in world.Nodes)
            await node.ReloadAsync(world.Config(without: backend));
        var moved = await known.VisitAsync(world.A);
        foreach (var node in world.Nodes)
            await node.ReloadAsync(world.Config());

        Assert.NotEqual(backend, moved);
        Assert.Equal(moved, await known.VisitAsync(world.B));
        Assert.Equal(moved, await known.VisitAsync(world.A));

        // The move holds when Redis is back without any memory of it.
        await world.Redis.RestartAsync();
        await Eventually.TrueAsync(async () => await known.VisitAsync(world.B) == moved && (await world.RecordsAsync()).Count == 1, "the session is recorded");
        Assert.Equal(moved, await known.VisitAsync(world.A));
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task Of_two_moves_at_once_without_redis_the_one_in_the_clients_cookie_holds_on_both_gateways()
    {
        await using var world = await SessionsWorld.StartAsync();
        var shopper = new Shopper();
        var lost = await shopper.VisitAsync(world.A);
        await world.Redis.KillAsync();
        foreach (var node in world.Nodes)
            await node.ReloadAsync(world.Config(without: lost));

        // Two tabs, until the gateways chose differently for them.
        var (first, second) = (shopper.Clone(), shopper.Clone());
        var onA = await first.VisitAsync(world.A);
        while (await second.VisitAsync(world.B) == onA)
        {
            var another = new Shopper();
            while (await another.VisitAsync(world.A) != lost)
                another = new Shopper();
            (first, second) = (another.Clone(), another.Clone());
            onA = await first.VisitAsync(world.A);
        }

        var last = await second.VisitAsync(world.B);
        for (var i = 0; i < 6; i++)
            Assert.Equal(last, await second.VisitAsync(world.Nodes[i % 2]));
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task Of_two_moves_of_a_session_on_one_gateway_without_redis_the_first_one_holds()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 1, nodes: 1);
        await world.Redis.KillAsync();
        var records = world.A.Services.GetRequiredService<AffinityRecords>();
        var (id, lost) = (AffinityCookie.NewId(), new SessionAffinity("lost", 0));

        Assert.Equal(new SessionAffinity("a", 1), await records.MoveAsync(id, lost, "a", CancellationToken.None));

        // Of another request that found the session where it was.
        Assert.Equal(new SessionAffinity("a", 1), await records.MoveAsync(id, lost, "b", CancellationToken.None));
    }

    [Fact]
    public async Task An_old_snapshot_does_not_bring_a_moved_session_back()
    {
        await using var world = await SessionsWorld.StartAsync();
        var shopper = new Shopper();
        var first = await shopper.VisitAsync(world.A);
        await shopper.VisitAsync(world.B);
        await world.Redis.SaveAsync();
        await world.A.ReloadAsync(world.Config(without: first));
        var moved = await shopper.VisitAsync(world.A);
        await world.A.ReloadAsync(world.Config());

        await world.Redis.RestartAsync(withSavedData: true);

        // Until the gateways have found Redis again, and after.
        var database = await world.DatabaseAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var node in world.Nodes)
                    Assert.Equal(moved, await shopper.VisitAsync(node));
                return (string?)await database.StringGetAsync(Assert.Single(await world.RecordsAsync())) == $"1 {moved}";
            },
            "the move is written back");
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task A_paused_redis_delays_requests_briefly_and_fails_none()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2, nodes: 0);
        var config = JsonSerializer.SerializeToNode(world.Config())!;
        config["Redis"]!["Deadline"] = "00:00:00.200";
        var node = await world.AddNodeAsync(config.ToJsonString());
        var shopper = new Shopper();
        var backend = await shopper.VisitAsync(node);

        world.Redis.Pause();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < 20; i++)
            Assert.Equal(backend, await shopper.VisitAsync(node));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(3), $"20 requests took {clock.Elapsed}.");
        world.Redis.Resume();

        await Eventually.TrueAsync(
            async () => await shopper.VisitAsync(node) == backend && (await world.RecordsAsync()).Count == 1, "the session is recorded");
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task A_cart_survives_the_death_of_its_backend()
    {
        await using var world = await SessionsWorld.StartAsync(nodes: 0);
        await world.AddNodeAsync(world.Config(healthChecks: true));
        await world.AddNodeAsync(world.Config(healthChecks: true));
        var shopper = new Shopper();
        using var item = new StringContent("""{"productId":"3","quantity":2}""", System.Text.Encoding.UTF8, "application/json");
        using var added = await shopper.SendAsync(world.A, HttpMethod.Post, "/cart/items", item);
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        var backend = added.Headers.GetValues("X-Backend").Single();
        Assert.Equal(backend, await shopper.VisitAsync(world.B, "/cart"));

        await world.KillBackendAsync(backend);
        await Eventually.TrueAsync(
            async () =>
            {
                using var cart = await shopper.SendAsync(world.A, HttpMethod.Get, "/cart");
                using var same = await shopper.SendAsync(world.B, HttpMethod.Get, "/cart");
                return cart.IsSuccessStatusCode && same.IsSuccessStatusCode;
            },
            "health checks notice");

        using var there = await shopper.SendAsync(world.A, HttpMethod.Get, "/cart");
        var body = await there.Content.ReadFromJsonAsync<JsonElement>();
        Assert.NotEqual(backend, body.GetProperty("backend").GetString());
        Assert.Equal(2, body.GetProperty("pieces").GetInt32());
        Assert.Equal(body.GetProperty("backend").GetString(), await shopper.VisitAsync(world.B, "/cart"));
        world.AssertNoExceptions();
    }
}
