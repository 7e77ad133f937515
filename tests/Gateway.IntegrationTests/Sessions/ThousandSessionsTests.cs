using System.Collections.Concurrent;
using System.Net.Http.Json;

namespace Gateway.IntegrationTests.Sessions;

public sealed class ThousandSessionsTests
{
    private static readonly ParallelOptions Parallelism = new() { MaxDegreeOfParallelism = 16 };

    [Fact]
    public async Task A_thousand_sessions_stay_through_a_drain_an_empty_redis_and_a_gateways_death()
    {
        await using var world = await SessionsWorld.StartAsync();
        var sessions = new ConcurrentDictionary<Shopper, string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), Parallelism, async (i, _) =>
        {
            var shopper = new Shopper();
            sessions[shopper] = await shopper.VisitAsync(world.Nodes[i % 2]);
        });

        await AssertStayAsync(world, sessions, nodes: 2);
        using (await world.A.Admin.PostAsJsonAsync("/sessions/drain", new { cluster = "shop", destination = "b" })) { }
        await AssertStayAsync(world, sessions, nodes: 2);
        var restart = world.Redis.RestartAsync();
        await AssertStayAsync(world, sessions, nodes: 2);
        await restart;
        await world.B.StopAsync();
        await AssertStayAsync(world, sessions, nodes: 1);

        world.AssertNoExceptions();
    }

    // Five requests each: 20,000 in all.
    private static Task AssertStayAsync(SessionsWorld world, ConcurrentDictionary<Shopper, string> sessions, int nodes) =>
        Parallel.ForEachAsync(sessions, Parallelism, async (session, _) =>
        {
            for (var i = 0; i < 5; i++)
                Assert.Equal(session.Value, await session.Key.VisitAsync(world.Nodes[i % nodes]));
        });
}
