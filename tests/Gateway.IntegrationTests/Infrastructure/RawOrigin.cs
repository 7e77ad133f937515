using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>An origin that sees requests as octets and answers with octets, well-formed or not; then it closes the connection.</summary>
internal sealed class RawOrigin : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _requests;

    private RawOrigin()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>What to answer to a request, given as it came without its body, in Latin-1.</summary>
    public Func<string, string> Answer { get; set; } = _ => "";

    public int Requests => Volatile.Read(ref _requests);

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";

    public static RawOrigin Start() => new();

    /// <summary>A route for everything, with the policy <c>origin</c>.</summary>
    /// <param name="transforms">What YARP is to change.</param>
    public object ProxySection(params Dictionary<string, string>[] transforms) => new
    {
        Routes = new { all = new { ClusterId = "origin", Match = new { Path = "{**path}" }, OutputCachePolicy = "origin", Transforms = transforms } },
        Clusters = new { origin = new { Destinations = new { one = new { Address } } } },
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting; // Before the listener stops: one that does not listen refuses to accept.
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var connection = await _listener.AcceptSocketAsync(_stop.Token);
                await AnswerAsync(connection);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The gateway hung up, or the test is over.
            }
        }
    }

    private async Task AnswerAsync(Socket connection)
    {
        var head = new StringBuilder();
        var buffer = new byte[4096];
        while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await connection.ReceiveAsync(buffer, _stop.Token);
            if (read == 0)
                return;
            head.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        Interlocked.Increment(ref _requests);
        await connection.SendAsync(Encoding.Latin1.GetBytes(Answer(head.ToString())), _stop.Token);
        connection.Shutdown(SocketShutdown.Both);
    }
}
