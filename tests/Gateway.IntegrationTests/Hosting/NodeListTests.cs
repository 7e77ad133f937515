using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Hosting;

public sealed class NodeListTests
{
    [Fact]
    public async Task Every_node_lists_all_that_share_a_Redis()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await GatewayNode.StartAsync(redis: redis.ConnectionString);
        await using var b = await GatewayNode.StartAsync(redis: redis.ConnectionString);

        foreach (var node in new[] { a, b })
        {
            await Eventually.TrueAsync(
                async () => Nodes(await node.Admin.GetFromJsonAsync<JsonElement>("/nodes")).Count(other => other.GetProperty("mayHoldLease").GetBoolean()) == 2,
                "both nodes are listed with a lease");
            Assert.Single(Nodes(await node.Admin.GetFromJsonAsync<JsonElement>("/nodes")), other => other.GetProperty("isThisNode").GetBoolean());
        }
    }

    [Fact]
    public async Task Without_Redis_the_list_is_answered_503()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await GatewayNode.StartAsync(redis: redis.ConnectionString);
        await redis.KillAsync();

        using var response = await node.Admin.GetAsync("/nodes");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    private static List<JsonElement> Nodes(JsonElement list) => [.. list.GetProperty("nodes").EnumerateArray()];
}
