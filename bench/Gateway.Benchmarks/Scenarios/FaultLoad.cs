using System.Diagnostics;
using System.Net;
using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Reports;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>What clients of one gateway notice when something happens to its Redis.</summary>
internal static class FaultLoad
{
    // The origin answers at once, and a client may be kept two seconds longer than by the origin.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestReturn = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    private static readonly IReadOnlyList<Fault> Faults =
    [
        new("killed, restarted empty", null, (peer, _) => peer.Redis!.KillAsync(), (peer, cancel) => peer.Redis!.StartAgainAsync(cancel)),
        new("paused for 3 s", TimeSpan.FromSeconds(3), (peer, cancel) => peer.Redis!.PauseAsync(cancel), (peer, cancel) => peer.Redis!.ResumeAsync(cancel)),
        new("paused for 10 s", TimeSpan.FromSeconds(10), (peer, cancel) => peer.Redis!.PauseAsync(cancel), (peer, cancel) => peer.Redis!.ResumeAsync(cancel)),
        new("slow by 50 ms", null, (peer, _) => Delay(peer, TimeSpan.FromMilliseconds(50)), (peer, _) => Delay(peer, TimeSpan.Zero)),
    ];

    public static async Task<Table> MeasureAsync(Scenario scenario, Field field, BenchOptions options, CancellationToken cancellationToken)
    {
        var contestant = field.Contestants.Single();
        var peer = field.PeerOf(contestant);
        using var admin = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://127.0.0.1:{peer.AdminPort}"), Timeout = TimeSpan.FromSeconds(10) };
        var runs = Faults.ToDictionary(fault => fault.Name, _ => new List<FaultRun>());
        await using var load = new SteadyLoad(peer.Port, contestant.Plan.Prefix, contestant.Plan.Urls!.Value);
        // Everything is stored, and what is hot is compiled.
        await Task.Delay(TimeSpan.FromSeconds(options.WarmUp * 10), TimeProvider.System, cancellationToken);
        for (var round = 0; round <= options.Rounds; round++)
        {
            Console.Write(round == 0 ? "  rehearsal:" : $"  round {round} of {options.Rounds}:");
            foreach (var fault in Faults)
            {
                var run = await RunAsync(fault, peer, load, admin, TimeSpan.FromSeconds(options.Seconds), cancellationToken);
                runs[fault.Name].Add(run);
                Console.Write($"  {fault.Name} {RequestTable.Format(run.Before.P99, "f2")} → {RequestTable.Format(run.During.P99, "f2")} ms");
            }

            Console.WriteLine();
        }

        return Compose(runs);
    }

    private static async Task<FaultRun> RunAsync(
        Fault fault, Peer peer, SteadyLoad load, HttpClient admin, TimeSpan span, CancellationToken cancellationToken)
    {
        load.Take();
        await Task.Delay(span, TimeProvider.System, cancellationToken);
        var before = Phase.Of(load.Take());
        await fault.Begin(peer, cancellationToken);
        await Task.Delay(fault.Span ?? span, TimeProvider.System, cancellationToken);
        var during = Phase.Of(load.Take());
        await fault.End(peer, cancellationToken);
        var back = Stopwatch.StartNew();
        await ReturnsAsync(admin, cancellationToken);
        var toFullFunction = back.Elapsed;
        // What was lost is fetched again meanwhile: that is part of it.
        if (span > back.Elapsed)
            await Task.Delay(span - back.Elapsed, TimeProvider.System, cancellationToken);
        return new FaultRun(before, during, Phase.Of(load.Take()), toFullFunction);
    }

    // A waited purge needs all that Redis is used for here: the change log, its poll, a lease.
    private static async Task ReturnsAsync(HttpClient admin, CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < LongestReturn)
        {
            using var answer = await admin.PostAsJsonAsync("/cache/purge?wait=true", new { tag = "nobody-has-it" }, cancellationToken);
            if (answer.StatusCode == HttpStatusCode.OK)
                return;
            await Task.Delay(Between, TimeProvider.System, cancellationToken);
        }

        throw new BenchException($"{LongestReturn.TotalSeconds:f0} s after Redis answered again no purge is possible.");
    }

    private static Task Delay(Peer peer, TimeSpan delay)
    {
        peer.Link!.Delay = delay;
        return Task.CompletedTask;
    }

    private static Table Compose(Dictionary<string, List<FaultRun>> runs) => new(
        ["Redis", "p50 ms before", "during", "after", "p99 ms before", "during", "after", "p99 × before", "slowest miss ms", "requests", "failed", "full function s"],
        [.. runs.Select(fault => Row(fault.Key, fault.Value))],
        $"""
        {SteadyLoad.Clients} clients with open connections send {SteadyLoad.Rate} requests per second at fixed times, {SteadyLoad.FetchingClients} others one each {SteadyLoad.FetchPeriod.TotalSeconds:f0} s for URLs that nobody has. p50 and p99 are those of memory hits: medians of the rounds, and "p99 × before" is the median of the rounds' ratios; the first time that each fault happens is not among them, since code then runs for the first time. All else counts that time too. Failed: another status than 200, no answer, or one after more than {LongestAnswer.TotalSeconds:f0} s; the gateway must have none. Full function: how long after Redis answers again a waited purge is answered 200, at most; the requests of that time count as after.
        """);

    private static IReadOnlyList<string> Row(string name, List<FaultRun> runs)
    {
        IEnumerable<Phase> phases = runs.SelectMany(run => new[] { run.Before, run.During, run.After });
        return
        [
            name,
            Median(run => run.Before.P50), Median(run => run.During.P50), Median(run => run.After.P50),
            Median(run => run.Before.P99), Median(run => run.During.P99), Median(run => run.After.P99),
            Median(run => run.During.P99 / run.Before.P99),
            RequestTable.Format(phases.Max(phase => phase.SlowestMiss), "f0"),
            $"{phases.Sum(phase => phase.Requests)}",
            $"{phases.Sum(phase => phase.Failed)}",
            RequestTable.Format(runs.Max(run => run.ToFullFunction.TotalSeconds), "f1"),
        ];

        string Median(Func<FaultRun, double> value) => RequestTable.Format(RequestTable.Median(runs.Skip(1).Select(value)), "f2");
    }

    /// <summary>Something that happens to Redis.</summary>
    /// <param name="Name">Its row.</param>
    /// <param name="Span">How long it lasts; null: as long as the time before it.</param>
    private sealed record Fault(string Name, TimeSpan? Span, Func<Peer, CancellationToken, Task> Begin, Func<Peer, CancellationToken, Task> End);

    private sealed record FaultRun(Phase Before, Phase During, Phase After, TimeSpan ToFullFunction);

    /// <summary>The answers of a time: of hits in milliseconds the median and the 99th percentile, of the others the slowest.</summary>
    private sealed record Phase(int Requests, int Failed, double P50, double P99, double SlowestMiss)
    {
        public static Phase Of(List<SteadyAnswer> answers)
        {
            double[] hits = [.. answers.Where(answer => answer is { Status: 200, IsHit: true }).Select(answer => answer.Time.TotalMilliseconds)];
            if (hits.Length == 0)
                throw new BenchException($"Of {answers.Count} answers none was a hit.");
            return new Phase(
                answers.Count,
                answers.Count(answer => answer.Status != 200 || answer.Time > LongestAnswer),
                RequestTable.Median(hits),
                RequestTable.Quantile(hits, 0.99),
                answers.Where(answer => !answer.IsHit).Select(answer => answer.Time.TotalMilliseconds).DefaultIfEmpty().Max());
        }
    }
}
