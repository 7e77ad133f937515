using System.Net.Sockets;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Clients that ask for much and take little.</summary>
public sealed class SlowClientTests
{
    private const int BodySize = 16 << 20;

    [Theory]
    [InlineData("")]
    [InlineData("Range: bytes=1-\r\n")]
    [InlineData("Range: bytes=0-0,2-\r\n")]
    public async Task Clients_that_do_not_read_a_large_stored_body_hold_no_copies_of_it(string field)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = (await TestOrigin.StartAsync()).Map("/large", async context =>
        {
            context.Response.Headers.CacheControl = "max-age=600";
            context.Response.ContentLength = BodySize;
            await context.Response.BodyWriter.WriteAsync(new byte[BodySize]);
        });
        await using var node = await CacheTestNode.StartAsync(origin, redis);
        Assert.Equal(BodySize, (await (await node.GetAsync("/large")).Content.ReadAsByteArrayAsync()).Length);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var clients = new List<TcpClient>();
        for (var i = 0; i < 20; i++)
            clients.Add(await AskAsync(node, field));

        // The whole would be 320 MB; what the machine's own buffers take is not counted here.
        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(growth, long.MinValue, 100L << 20);
        Assert.Equal(1, origin.Count("/large"));
        clients.ForEach(client => client.Dispose());
    }

    // Reads the beginning of a response served from the store, and no more.
    private static async Task<TcpClient> AskAsync(GatewayNode node, string field)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(node.PublicAddress.Host, node.PublicAddress.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"GET /large HTTP/1.1\r\nHost: {CacheTestNode.Host}\r\n{field}\r\n"));
        var head = new byte[1024];
        await client.GetStream().ReadExactlyAsync(head);
        Assert.Contains("Gateway; hit", Encoding.Latin1.GetString(head), StringComparison.Ordinal);
        return client;
    }
}
