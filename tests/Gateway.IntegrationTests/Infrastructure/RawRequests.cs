using System.Net.Sockets;
using System.Text;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>Requests as octets, which no client library would send.</summary>
internal static class RawRequests
{
    /// <summary>Gets <paramref name="target"/>, written exactly so.</summary>
    /// <param name="fields">More lines, each with its end.</param>
    /// <param name="body">What follows the fields; as they announce it, or not.</param>
    public static Task<string> RawGetAsync(this GatewayNode node, string target, string fields = "", string host = "shop.example", string body = "") =>
        node.RawAsync($"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n{body}");

    /// <summary>Sends <paramref name="request"/> in Latin-1 and returns what comes until the gateway closes the connection.</summary>
    public static async Task<string> RawAsync(this GatewayNode node, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(node.PublicAddress.Host, node.PublicAddress.Port);
        var stream = client.GetStream();
        using var received = new MemoryStream();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), limit.Token);
            await stream.CopyToAsync(received, limit.Token);
        }
        catch (IOException)
        {
            // The gateway ended it by a reset, which is how it says that the response is not whole, or that it takes no more of the request.
        }

        return Encoding.Latin1.GetString(received.ToArray());
    }
}
