using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Chaos;

public sealed class RedisLossTests
{
    // On an idle machine it takes about one; the issue is what a user would notice.
    private static readonly TimeSpan FullFunctionWithin = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan PhaseLength = TimeSpan.FromSeconds(3);

    public enum Loss
    {
        BackEmpty,
        BackWithAllData,
        BackWithAnOldSnapshot,
        PausedOnly,
    }

    [Theory]
    [InlineData(Loss.BackEmpty)]
    [InlineData(Loss.BackWithAllData)]
    [InlineData(Loss.BackWithAnOldSnapshot)]
    [InlineData(Loss.PausedOnly)]
    public async Task No_request_fails_while_Redis_is_away_and_everything_works_again_soon_after(Loss loss)
    {
        await using var world = await StorefrontWorld.StartAsync();
        await StorefrontWorld.ChangeAsync(world.NodeA, "/links", new { slug = "known", target = "https://example.com/" });
        if (loss == Loss.BackWithAnOldSnapshot)
            await world.Redis.SaveAsync();
        var revoked = await world.IssueTokenAsync("bob", "builder");
        await StorefrontWorld.ChangeAsync(world.NodeA, "/tokens/revoke?wait=true", new { token = revoked });
        await using var traffic = new Traffic(world, await world.IssueTokenAsync("alice", "wonderland"), revoked);

        traffic.Start();
        await PassAsync(traffic);
        if (loss == Loss.BackWithAllData)
            await world.Redis.SaveAsync();
        await LoseAsync(world, loss);
        await PassAsync(traffic);
        traffic.LinksMayBeLost = loss == Loss.BackEmpty;
        await BringBackAsync(world, loss);
        await FullFunctionAsync(world);
        await PassAsync(traffic);
        await traffic.StopAsync();

        Assert.Empty(traffic.Failures.Take(20));
        Assert.Empty(world.NodeA.Log.Exceptions.Concat(world.NodeB.Log.Exceptions));
    }

    private static async Task PassAsync(Traffic traffic)
    {
        var before = traffic.Requests;
        var phase = Stopwatch.StartNew();
        await Eventually.TrueAsync(() => phase.Elapsed > PhaseLength && traffic.Requests > before + 100, "the traffic flows", TimeSpan.FromSeconds(30));
    }

    private static async Task LoseAsync(StorefrontWorld world, Loss loss)
    {
        if (loss == Loss.PausedOnly)
            world.Redis.Pause();
        else
            await world.Redis.KillAsync();
    }

    private static async Task BringBackAsync(StorefrontWorld world, Loss loss)
    {
        if (loss == Loss.PausedOnly)
            world.Redis.Resume();
        else
            await world.Redis.RestartAsync(withSavedData: loss != Loss.BackEmpty);
    }

    // Each feature over both nodes, from the moment that Redis answers again.
    private static async Task FullFunctionAsync(StorefrontWorld world)
    {
        var back = Stopwatch.StartNew();
        var (a, b) = (world.NodeA, world.NodeB);
        var token = await world.IssueTokenAsync("alice", "wonderland");
        var slug = 0;

        await WithinAsync("a purge is in force on both nodes", async () =>
        {
            using var response = await a.Admin.PostAsJsonAsync("/cache/purge?wait=true", new { tag = "catalog" });
            if (response.StatusCode != HttpStatusCode.OK)
                return false;
            using var spread = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
            return spread.RootElement.GetProperty("applied").GetArrayLength() == 2;
        });
        await WithinAsync("requests are counted on both nodes", async () => await CountsAsync(a) && await CountsAsync(b));
        await WithinAsync("a response of one node is a hit on the other", async () =>
        {
            var path = $"/catalog/3?{++slug}";
            using var stored = await GetFromOneSiteAsync(a, path);
            using var shared = await GetFromOneSiteAsync(b, path);
            return shared.Headers.GetValues("Cache-Status").Single().Contains("hit", StringComparison.Ordinal);
        });
        await WithinAsync("a link made on one node redirects on the other", async () =>
        {
            using var created = await a.Admin.PostAsJsonAsync("/links", new { slug = $"new-{++slug}", target = "https://example.com/" });
            using var redirect = await b.Public.GetAsync($"/s/new-{slug}");
            return redirect.StatusCode == HttpStatusCode.Found;
        });
        await WithinAsync("a token revoked on one node is refused on the other", async () =>
        {
            using var revoked = await a.Admin.PostAsJsonAsync("/tokens/revoke?wait=true", new { token });
            using var request = new HttpRequestMessage(HttpMethod.Get, "/account") { Headers = { Authorization = new("Bearer", token) } };
            using var response = await b.Public.SendAsync(request);
            return response.StatusCode == HttpStatusCode.Unauthorized;
        });

        Task WithinAsync(string what, Func<Task<bool>> holds) =>
            Eventually.TrueAsync(holds, what, FullFunctionWithin - back.Elapsed);

        // The authority is part of the key: both nodes serve one site.
        static async Task<HttpResponseMessage> GetFromOneSiteAsync(GatewayNode node, string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "shop.example" } };
            return await node.Public.SendAsync(request);
        }

        static async Task<bool> CountsAsync(GatewayNode node)
        {
            using var response = await node.Public.GetAsync("/catalog/1");
            return response.Headers.Contains("RateLimit");
        }
    }
}
