using System.Collections.Concurrent;
using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Sessions;

public sealed class ThousandSessionsTests
{
    private static readonly ParallelOptions Parallelism = new() { MaxDegreeOfParallelism = 16 };

    [Fact]
    public async Task A_thousand_sessions_stay_through_a_drain_an_empty_redis_and_a_gateways_death()
    {
        await using var world = await SessionsWorld.StartAsync(nodes: 1);
        await using var mortal = await ProcessNode.StartAsync(world.Config(), world.Redis.ConnectionString);
        HttpClient[] gateways = [world.A.Public, mortal.Public];
        var sessions = new ConcurrentDictionary<Shopper, string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1000), Parallelism, async (i, _) =>
        {
            var shopper = new Shopper();
            sessions[shopper] = await shopper.VisitAsync(gateways[i % 2]);
        });
        Assert.Equal(["a", "b", "c"], sessions.Values.Distinct().Order());

        await AssertStayAsync(gateways, sessions);
        using (await world.A.Admin.PostAsJsonAsync("/sessions/drain", new { cluster = "shop", destination = "b" })) { }
        await AssertStayAsync(gateways, sessions);
        await AssertNewcomersAvoidAsync(gateways, "b");
        await AssertForgeriesChooseNothingAsync(mortal.Public, sessions);
        var restart = world.Redis.RestartAsync();
        await AssertStayAsync(gateways, sessions);
        await restart;
        var death = KillSoonAsync(mortal);
        await AssertStayAsync(gateways, sessions);
        await death;

        Assert.DoesNotContain("Exception", mortal.Output, StringComparison.Ordinal);
        world.AssertNoExceptions();
    }

    // Five requests each: 20,000 in all.
    private static Task AssertStayAsync(HttpClient[] gateways, ConcurrentDictionary<Shopper, string> sessions) =>
        Parallel.ForEachAsync(sessions, Parallelism, async (session, _) =>
        {
            for (var i = 0; i < 5; i++)
                Assert.Equal(session.Value, await VisitAsync(gateways, session.Key, i));
        });

    // While requests are on their way.
    private static async Task KillSoonAsync(ProcessNode node)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, CancellationToken.None);
        await node.KillAsync();
    }

    // As a load balancer: a gateway that does not answer is left out.
    private static async Task<string> VisitAsync(HttpClient[] gateways, Shopper shopper, int turn)
    {
        try
        {
            return await shopper.VisitAsync(gateways[turn % 2]);
        }
        catch (HttpRequestException) when (turn % 2 == 1)
        {
            return await shopper.VisitAsync(gateways[0]);
        }
    }

    private static async Task AssertNewcomersAvoidAsync(HttpClient[] gateways, string drained)
    {
        foreach (var node in gateways)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    var visited = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => new Shopper().VisitAsync(node)));
                    return !visited.Contains(drained);
                },
                "newcomers go elsewhere", TimeSpan.FromSeconds(2));
        }
    }

    // Of sessions that all belong to one backend: the forged ones go to others too, and get cookies of their own.
    private static async Task AssertForgeriesChooseNothingAsync(HttpClient gateway, ConcurrentDictionary<Shopper, string> sessions)
    {
        var visited = new HashSet<string>();
        foreach (var (victim, _) in sessions.Where(session => session.Value == "c").Take(20))
        {
            var real = victim[SessionsWorld.CookieName]!;
            var middle = real.Length / 2;
            var forger = new Shopper { [SessionsWorld.CookieName] = real[..middle] + (real[middle] == 'A' ? 'B' : 'A') + real[(middle + 1)..] };
            visited.Add(await forger.VisitAsync(gateway));
            Assert.NotEmpty(forger.LastSet);
            Assert.NotEqual(real, forger[SessionsWorld.CookieName]);
        }

        Assert.Equal(["a", "c"], visited.Order());
    }
}
