using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Reports;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>Short links: what following one costs, and what a million of them do.</summary>
internal static class LinkLoad
{
    private const int Many = 1_000_000;
    private const int Visits = 200_000;
    private const int Completions = 1000;
    private const double Megabyte = 1 << 20;

    /// <summary>As <see cref="RequestLoad"/>, after the links were made.</summary>
    public static async Task<Table> MeasureRedirectsAsync(Scenario scenario, Field field, BenchOptions options, CancellationToken cancellationToken)
    {
        using var client = Client();
        foreach (var contestant in field.Contestants.Where(contestant => contestant is { Peer: PeerList.Gateway, Plan.Status: 302 }))
            await ImportAsync(client, field.PeerOf(contestant), contestant.Plan.Urls ?? 0, cancellationToken);
        return await RequestLoad.MeasureAsync(scenario, field, options, cancellationToken);
    }

    /// <summary>An import, completions and visits, once.</summary>
    public static async Task<Table> MeasureManyAsync(Scenario scenario, Field field, BenchOptions options, CancellationToken cancellationToken)
    {
        using var client = Client();
        var peer = field.PeerOf(field.Contestants[0]);
        // The first of them compile what the others run through.
        await ImportAsync(client, peer, Many / 100, cancellationToken);
        peer.Server.ForgetPeak();
        var (memory, started) = (peer.Server.ResidentSize, Stopwatch.GetTimestamp());
        await ImportAsync(client, peer, Many, cancellationToken);
        var (elapsed, growth) = (Stopwatch.GetElapsedTime(started), Math.Max(0, peer.Server.PeakResidentSize - memory) / Megabyte);
        Console.WriteLine($"  imported in {elapsed.TotalSeconds:f0} s");

        var times = await CompleteAsync(client, peer, cancellationToken);
        Console.WriteLine("  completed");
        var counted = await VisitAsync(client, peer, cancellationToken);
        return new Table(
            ["", "value"],
            [
                [$"import of {Many:n0} links, s", RequestTable.Format(elapsed.TotalSeconds, "f1")],
                ["the gateway's memory at its peak during it, growth in MB", RequestTable.Format(growth, "f0")],
                ["completion of a prefix (10 links), ms, median", RequestTable.Format(RequestTable.Median(times), "f2")],
                ["the slowest of 100", RequestTable.Format(times.Order().ElementAt((int)(times.Count * 0.99)), "f2")],
                [$"visits counted of {Visits:n0}", $"{counted}"],
            ],
            "One client on the other core. The import and the completions are one gateway's, the visits three gateways'. Memory is the resident set.");
    }

    private static HttpClient Client() => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromMinutes(30) };

    private static async Task ImportAsync(HttpClient client, Peer peer, int links, CancellationToken cancellationToken)
    {
        using var content = new LinkLines(links);
        using var answer = await client.PostAsync(new Uri($"http://127.0.0.1:{peer.AdminPort}/import-links"), content, cancellationToken);
        var end = (await answer.Content.ReadAsStringAsync(cancellationToken)).TrimEnd().Split('\n')[^1];
        if (!answer.IsSuccessStatusCode || !end.Contains("\"rejected\":0,\"done\":true", StringComparison.Ordinal))
            throw new BenchException($"The import of {links} links ended with {end}");
    }

    private static async Task<List<double>> CompleteAsync(HttpClient client, Peer peer, CancellationToken cancellationToken)
    {
        var times = new List<double>();
        for (var i = 0; i < Completions; i++)
        {
            // Digits in another order each time, and never the same prefix twice.
            var url = new Uri($"http://127.0.0.1:{peer.AdminPort}/links?prefix={(i * 37) % Completions}&limit=10");
            var started = Stopwatch.GetTimestamp();
            var page = await client.GetStringAsync(url, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (!page.Contains("\"slug\"", StringComparison.Ordinal))
                throw new BenchException($"{url} found no link.");
        }

        return times;
    }

    private static async Task<long> VisitAsync(HttpClient client, Peer peer, CancellationToken cancellationToken)
    {
        (int Public, int Admin)[] ports = [(peer.Port, peer.AdminPort), .. Enumerable.Range(0, 2).Select(_ => (ServerProcess.FreePort(), ServerProcess.FreePort()))];
        await using var second = await StartAsync(ports[1], peer, cancellationToken);
        await using var third = await StartAsync(ports[2], peer, cancellationToken);
        var bounded = new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(Enumerable.Range(0, Visits), bounded, async (i, cancel) =>
        {
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{ports[i % 3].Public}{Content.LinkPath}0"), cancel);
            if (answer.StatusCode != HttpStatusCode.Found)
                throw new BenchException($"A link answered {(int)answer.StatusCode}.");
        });

        // Each gateway writes what it has counted before it answers.
        var counted = 0L;
        foreach (var (_, admin) in ports)
        {
            var link = await client.GetStringAsync(new Uri($"http://127.0.0.1:{admin}/links/0"), cancellationToken);
            counted = JsonDocument.Parse(link).RootElement.GetProperty("visits").GetInt64();
        }

        return counted;
    }

    // A gateway more on the Redis of another.
    private static Task<ServerProcess> StartAsync((int Public, int Admin) ports, Peer peer, CancellationToken cancellationToken) => ServerProcess.StartAsync(
        Cores.Server, ports.Public, folder => GatewayServer.Command(folder, ports, $"http://127.0.0.1:{peer.Port}", $"127.0.0.1:{peer.RedisPort}"), cancellationToken);

    /// <summary>Links as JSON lines, written while they are sent.</summary>
    private sealed class LinkLines : HttpContent
    {
        private readonly int _links;

        public LinkLines(int links)
        {
            _links = links;
            Headers.ContentType = new("application/jsonl");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < _links; i++)
                await stream.WriteAsync(Encoding.ASCII.GetBytes($$"""{"slug":"{{i}}","target":"{{Content.LinkTarget}}{{i}}"}""" + "\n"));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
