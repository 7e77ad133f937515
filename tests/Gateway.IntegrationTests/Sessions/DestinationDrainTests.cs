using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Sessions;

public sealed class DestinationDrainTests
{
    [Fact]
    public async Task A_draining_destination_keeps_its_sessions_and_gets_no_new_ones()
    {
        await using var world = await SessionsWorld.StartAsync();
        var before = await BeginSessionsAsync(world, 9);
        Assert.Contains("a", before.Values);

        using var begun = await BeginDrainAsync(world.A, "shop", "A");
        Assert.Equal(HttpStatusCode.NoContent, begun.StatusCode);
        await Eventually.TrueAsync(async () => (await ListAsync(world.B)).Count == 1, "the drain is known to B", TimeSpan.FromSeconds(2));

        var during = await BeginSessionsAsync(world, 12);
        Assert.Equal(["b", "c"], during.Values.Distinct().Order());
        await AssertStayAsync(world, before.Concat(during));
        Assert.Equal(["shop/a"], (await ListAsync(world.B)).Select(name => name.ToLowerInvariant()));

        using var ended = await world.B.Admin.DeleteAsync("/sessions/drain?cluster=shop&destination=a");
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await Eventually.TrueAsync(async () => (await ListAsync(world.A)).Count == 0, "A knows that it ended", TimeSpan.FromSeconds(2));
        Assert.Contains("a", (await BeginSessionsAsync(world, 6)).Values);
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task A_drain_survives_an_empty_redis_and_is_known_to_new_nodes()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2);
        using (await BeginDrainAsync(world.A, "shop", "a")) { }

        await world.Redis.RestartAsync();
        await Eventually.TrueAsync(
            async () => await (await world.DatabaseAsync()).KeyExistsAsync("gateway:drains"), "the drain is written back");
        var third = await world.AddNodeAsync(world.Config());

        Assert.Equal(["shop/a"], await ListAsync(third));
        Assert.Equal("b", await new Shopper().VisitAsync(third));
    }

    [Fact]
    public async Task The_last_destination_goes_on_serving()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2, nodes: 1);
        using (await BeginDrainAsync(world.A, "shop", "a")) { }
        using (await BeginDrainAsync(world.A, "shop", "b")) { }

        Assert.NotEmpty(await new Shopper().VisitAsync(world.A));
    }

    [Fact]
    public async Task Without_redis_a_drain_is_answered_503()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 1, nodes: 1);
        await world.Redis.KillAsync();

        using var answer = await BeginDrainAsync(world.A, "shop", "a");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    private static async Task<Dictionary<Shopper, string>> BeginSessionsAsync(SessionsWorld world, int count)
    {
        var sessions = new Dictionary<Shopper, string>();
        for (var i = 0; i < count; i++)
        {
            var shopper = new Shopper();
            sessions[shopper] = await shopper.VisitAsync(world.Nodes[i % world.Nodes.Count]);
        }

        return sessions;
    }

    private static async Task AssertStayAsync(SessionsWorld world, IEnumerable<KeyValuePair<Shopper, string>> sessions)
    {
        foreach (var (shopper, backend) in sessions)
        {
            foreach (var node in world.Nodes)
                Assert.Equal(backend, await shopper.VisitAsync(node));
        }
    }

    private static Task<HttpResponseMessage> BeginDrainAsync(GatewayNode node, string cluster, string destination) =>
        node.Admin.PostAsJsonAsync("/sessions/drain", new { cluster, destination });

    private static async Task<List<string>> ListAsync(GatewayNode node) =>
        [.. (await node.Admin.GetFromJsonAsync<JsonElement>("/sessions/drain")).GetProperty("draining").EnumerateArray()
            .Select(one => $"{one.GetProperty("cluster").GetString()}/{one.GetProperty("destination").GetString()}")];
}
