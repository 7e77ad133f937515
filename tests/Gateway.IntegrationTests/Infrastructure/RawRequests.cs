using System.Net.Sockets;
using System.Text;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>Requests as octets, which no client library would send.</summary>
internal static class RawRequests
{
    /// <summary>Sends <paramref name="request"/> in Latin-1 and returns what comes until the gateway closes the connection.</summary>
    public static async Task<string> RawAsync(this GatewayNode node, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(node.PublicAddress.Host, node.PublicAddress.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var received = new MemoryStream();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await stream.CopyToAsync(received, limit.Token);
        }
        catch (IOException)
        {
            // The gateway ended it by a reset, which is how it says that the response is not whole.
        }

        return Encoding.Latin1.GetString(received.ToArray());
    }
}
