using System.Diagnostics;
using System.Net;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

public sealed class LeaderKilledTests
{
    private const int ClientsPerNode = 20;

    private static readonly TimeSpan OriginTime = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3) + OriginTime;

    [Fact]
    public async Task A_node_killed_while_others_wait_for_its_fetch_holds_them_up_for_three_seconds_at_most()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = await TestOrigin.StartAsync();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var requests = 0;
        origin.Map("/x", async context =>
        {
            // The first one belongs to the node that is killed: it ends with that node.
            if (Interlocked.Increment(ref requests) == 1)
            {
                arrived.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
            }

            await Task.Delay(OriginTime, TimeProvider.System, context.RequestAborted);
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync("body");
        });
        var config = new { ReverseProxy = origin.ProxySection(("OutputCachePolicy", "origin")) };
        var nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ProcessNode.StartAsync(config, redis.ConnectionString)));
        await using var leader = nodes[0];
        await using var second = nodes[1];
        await using var third = nodes[2];
        // What a node does the first time takes longer: connections, locks, compilation.
        origin.Map("/warm", "warm", ("Cache-Control", "max-age=60"));
        foreach (var node in nodes)
            await GetAsync(node, "/warm");

        var killed = GetAsync(leader, "/x");
        await arrived.Task;
        var waiting = nodes.Skip(1).SelectMany(node => Enumerable.Range(0, ClientsPerNode).Select(_ => GetAsync(node, "/x"))).ToArray();
        await Task.WhenAny(Task.WhenAny(waiting), Task.Delay(OriginTime, TimeProvider.System));
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        await leader.KillAsync();
        var since = Stopwatch.StartNew();
        var answers = await Task.WhenAll(waiting);
        var took = since.Elapsed;

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => killed);
        Assert.All(answers, answer => Assert.Equal("body", answer));
        Assert.InRange(took, TimeSpan.Zero, Limit);
        // One of the others took over, for all of them.
        Assert.Equal(2, requests);
    }

    private static async Task<string> GetAsync(ProcessNode node, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = CacheTestNode.Host } };
        using var response = await node.Public.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.TextAsync();
    }
}
