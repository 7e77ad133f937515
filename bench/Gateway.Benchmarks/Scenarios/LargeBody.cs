using System.Diagnostics;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Reports;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>One large body at a time: when its first byte comes, and how far the server's memory grows meanwhile.</summary>
internal static class LargeBody
{
    private const double Megabyte = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task<Table> MeasureAsync(Scenario scenario, Field field, BenchOptions options, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Limit };
        var samples = field.Contestants.ToDictionary(contestant => contestant.Label, _ => new List<Transfer>());
        // Round 0 warms up, and lets memory reach its usual size.
        for (var round = 0; round <= options.Rounds; round++)
        {
            foreach (var contestant in field.Contestants)
            {
                var transfer = await TransferAsync(client, field.PeerOf(contestant), contestant, cancellationToken);
                if (round > 0)
                    samples[contestant.Label].Add(transfer);
            }

            Console.WriteLine($"  round {round} of {options.Rounds}");
        }

        return new Table(
            ["", "first byte ms", "most", "whole body s", "CPU ms", "memory growth MB", "most"],
            [.. field.Contestants.Select(contestant => Row(contestant.Label, samples[contestant.Label]))],
            "Medians of the rounds, one client, another URL each time. Memory growth is the peak of the resident set during the transfer over its size before.");
    }

    private static async Task<Transfer> TransferAsync(HttpClient client, Peer peer, Contestant contestant, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Limit);
        peer.Server.ForgetPeak();
        var (memory, cpu, watch) = (peer.Server.ResidentSize, peer.Server.CpuTime, Stopwatch.StartNew());
        using var answer = await client.GetAsync(
            new Uri($"http://127.0.0.1:{peer.Port}{contestant.Plan.Prefix}{Guid.NewGuid():n}"), HttpCompletionOption.ResponseHeadersRead, deadline.Token);
        await using var body = await answer.Content.ReadAsStreamAsync(deadline.Token);
        var buffer = new byte[256 << 10];
        long size = await body.ReadAsync(buffer, deadline.Token);
        var firstByte = watch.Elapsed;
        for (int read; (read = await body.ReadAsync(buffer, deadline.Token)) > 0;)
            size += read;

        if (!answer.IsSuccessStatusCode || size != Content.LargeSize)
            throw new BenchException($"{contestant.Label} sent {(int)answer.StatusCode} with {size} bytes instead of 200 with {Content.LargeSize}.");
        return new Transfer(
            firstByte.TotalMilliseconds, watch.Elapsed.TotalSeconds, (peer.Server.CpuTime - cpu).TotalMilliseconds,
            Math.Max(0, peer.Server.PeakResidentSize - memory) / Megabyte);
    }

    private static string[] Row(string label, List<Transfer> transfers) =>
    [
        label,
        Middle(transfer => transfer.FirstByte, "f2", transfers),
        RequestTable.Format(transfers.Max(transfer => transfer.FirstByte), "f2"),
        Middle(transfer => transfer.Whole, "f2", transfers),
        Middle(transfer => transfer.Cpu, "f0", transfers),
        Middle(transfer => transfer.MemoryGrowth, "f1", transfers),
        RequestTable.Format(transfers.Max(transfer => transfer.MemoryGrowth), "f1"),
    ];

    private static string Middle(Func<Transfer, double> value, string format, List<Transfer> transfers) =>
        RequestTable.Format(RequestTable.Median(transfers.Select(value)), format);

    /// <param name="FirstByte">Milliseconds until the first byte of the body.</param>
    /// <param name="Whole">Seconds until the last.</param>
    /// <param name="Cpu">Milliseconds of the server's CPU time.</param>
    /// <param name="MemoryGrowth">Megabytes.</param>
    private sealed record Transfer(double FirstByte, double Whole, double Cpu, double MemoryGrowth);
}
