using System.Net;
using System.Net.Sockets;

namespace Gateway.IntegrationTests.Infrastructure;

public sealed class SlowLinkTests
{
    [Fact]
    public async Task A_link_that_ends_while_connections_come_ends_without_an_exception()
    {
        for (var i = 0; i < 300; i++)
        {
            await using var link = SlowLink.To(1);
            _ = ConnectOnAsync(link.Port);
            await ConnectAsync(link.Port);
        }
    }

    private static async Task ConnectOnAsync(int port)
    {
        for (var i = 0; i < 20 && await ConnectAsync(port); i++)
            ;
    }

    private static async Task<bool> ConnectAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
