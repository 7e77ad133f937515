using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Chaos;

/// <summary>What nodes do together when Redis is there.</summary>
internal static class FullFunction
{
    // On an idle machine it takes about three; the issue is what a user would notice.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Each feature over both nodes works within the limit, counted from now: a primary has just answered.</summary>
    public static async Task ReturnsAsync(StorefrontWorld world)
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
            Eventually.TrueAsync(holds, what, Limit - back.Elapsed);

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
