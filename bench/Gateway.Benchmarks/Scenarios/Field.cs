using System.Globalization;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>The contestants of a scenario with their servers, all running, and the origin they share.</summary>
internal sealed class Field : IAsyncDisposable
{
    private readonly Dictionary<string, Peer> _peers = [];
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly ServerProcess _origin;
    private readonly Uri _count;

    private Field(IReadOnlyList<Contestant> contestants, ServerProcess origin, int originPort)
    {
        Contestants = contestants;
        _origin = origin;
        _count = new Uri($"http://127.0.0.1:{originPort}{ServeCommand.CountPath}");
    }

    public IReadOnlyList<Contestant> Contestants { get; }

    /// <summary>The origin's address.</summary>
    public string Origin => _count.GetLeftPart(UriPartial.Authority);

    public IEnumerable<Peer> Peers => _peers.Values;

    public static async Task<Field> StartAsync(IReadOnlyList<Contestant> contestants, CancellationToken cancellationToken)
    {
        var originPort = ServerProcess.FreePort();
        var field = new Field(contestants, await PeerList.StartOriginAsync(originPort, cancellationToken), originPort);
        try
        {
            foreach (var name in contestants.Select(contestant => contestant.Peer).Distinct())
            {
                Console.WriteLine($"  starting {name}");
                field._peers[name] = await PeerList.StartAsync(name, originPort, cancellationToken);
            }

            return field;
        }
        catch
        {
            await field.DisposeAsync();
            throw;
        }
    }

    public Peer PeerOf(Contestant contestant) => _peers[contestant.Peer];

    /// <summary>How many requests have reached the origin so far.</summary>
    public async Task<long> OriginRequestsAsync(CancellationToken cancellationToken) =>
        long.Parse(await _client.GetStringAsync(_count, cancellationToken), CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        foreach (var peer in _peers.Values)
            await peer.DisposeAsync();
        await _origin.DisposeAsync();
    }
}
