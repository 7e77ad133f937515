using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Builder;

namespace Gateway.IntegrationTests.Chaos;

/// <summary>The demo as it ships, on free ports: two gateways and two backends on one Redis.</summary>
internal sealed class StorefrontWorld : IAsyncDisposable
{
    public required Storefront BackendA { get; init; }

    public required Storefront BackendB { get; init; }

    public required GatewayNode NodeA { get; init; }

    public required GatewayNode NodeB { get; init; }

    /// <param name="redis">A connection string for gateways and backends.</param>
    /// <param name="args">More of the gateways' command line.</param>
    /// <param name="configure">Changes to the gateways' services.</param>
    public static async Task<StorefrontWorld> StartAsync(string redis, string[]? args = null, Action<WebApplicationBuilder>? configure = null)
    {
        var a = await Storefront.StartAsync("Name=a", $"Redis:Configuration={redis}");
        var b = await Storefront.StartAsync("Name=b", $"Redis:Configuration={redis}");
        return new StorefrontWorld
        {
            BackendA = a,
            BackendB = b,
            NodeA = await StartNodeAsync(redis, a, b, args ?? [], configure),
            NodeB = await StartNodeAsync(redis, a, b, args ?? [], configure),
        };
    }

    /// <summary>A token of the demo's user, issued by the backend whose keys the gateways trust.</summary>
    public async Task<string> IssueTokenAsync(string user, string password)
    {
        using var form = new FormUrlEncodedContent([new("grant_type", "password"), new("username", user), new("password", password)]);
        using var response = await BackendA.Client.PostAsync("/identity/token", form);
        using var answer = JsonDocument.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        return answer.RootElement.GetProperty("access_token").GetString()!;
    }

    /// <summary>
    /// Asks the admin listener of <paramref name="node"/> for a change that must succeed. On a busy machine Redis may miss its
    /// deadline: then it is sent again, as the answer says, and a conflict means that it was done.
    /// </summary>
    public static async Task ChangeAsync(GatewayNode node, string path, object change)
    {
        var isRepeated = false;
        await Eventually.TrueAsync(
            async () =>
            {
                using var response = await node.Admin.PostAsJsonAsync(path, change);
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                    return !(isRepeated = true);
                var isDone = response.IsSuccessStatusCode || (isRepeated && response.StatusCode == HttpStatusCode.Conflict);
                Assert.True(isDone, $"{path}: {await response.Content.ReadAsStringAsync()}");
                return true;
            },
            $"{path} is changed");
    }

    public async ValueTask DisposeAsync()
    {
        await NodeA.DisposeAsync();
        await NodeB.DisposeAsync();
        await BackendA.DisposeAsync();
        await BackendB.DisposeAsync();
    }

    private static Task<GatewayNode> StartNodeAsync(string redis, Storefront a, Storefront b, string[] args, Action<WebApplicationBuilder>? configure)
    {
        var demo = Path.Combine(RepositoryRoot.Path, "src", "SampleBackend", "storefront.gateway.json");
        var destinations = new[] { "storefront", "prices", "cart" }.SelectMany(cluster => new[]
        {
            $"--ReverseProxy:Clusters:{cluster}:Destinations:a:Address={a.Address}",
            $"--ReverseProxy:Clusters:{cluster}:Destinations:b:Address={b.Address}",
        });
        return GatewayNode.StartAsync(
            redis: redis,
            // A link that is lost is asked for all the time: nobody guesses here.
            args: ["--config", demo, "--ShortLinks:UnknownPerMinute=0", $"--Tokens:Schemes:storefront:JwksUri={a.Address}identity/jwks",
                $"--Tokens:Schemes:introspected:Introspection:Endpoint={a.Address}identity/introspect", .. destinations, .. args],
            configure: configure);
    }
}
