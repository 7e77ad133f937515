using System.Globalization;
using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Reports;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>Many small requests: requests per second, and CPU time per request, in rounds in which contestants take turns.</summary>
internal static class RequestLoad
{
    // A runtime that compiles what is hot gets faster for a while: it has settled when two loads gain less than 5 %.
    private const double Gain = 0.95;
    private const int MaxSettles = 12;
    // Between its steps a runtime stands still for some seconds.
    private const int MinSettles = 6;

    public static async Task<Table> MeasureAsync(Scenario scenario, Field field, BenchOptions options, CancellationToken cancellationToken)
    {
        foreach (var contestant in field.Contestants)
            await SettleAsync(field, contestant, options, cancellationToken);

        var samples = field.Contestants.ToDictionary(contestant => contestant.Label, _ => new List<Sample>());
        for (var round = 0; round < options.Rounds; round++)
        {
            Console.Write($"  round {round + 1} of {options.Rounds}:");
            // Each round begins with another one, so that nobody always runs after the same neighbour.
            for (var i = 0; i < field.Contestants.Count; i++)
            {
                var contestant = field.Contestants[(i + round) % field.Contestants.Count];
                var sample = await MeasureOnceAsync(field, contestant, options, cancellationToken);
                samples[contestant.Label].Add(sample);
                Console.Write(string.Create(CultureInfo.InvariantCulture, $"  {contestant.Label} {sample.Cpu:f1} µs"));
            }

            Console.WriteLine();
        }

        return RequestTable.Compose(scenario.Baselines, field.Contestants, samples);
    }

    private static async Task SettleAsync(Field field, Contestant contestant, BenchOptions options, CancellationToken cancellationToken)
    {
        var peer = field.PeerOf(contestant);
        if (!contestant.Plan.ReachesOrigin)
            await StoreAllAsync(peer, contestant.Plan, cancellationToken);
        var (best, loadsWithoutGain) = (double.MaxValue, 0);
        for (var i = 0; i < MaxSettles && (i < MinSettles || loadsWithoutGain < 2); i++)
        {
            var before = peer.Server.CpuTime;
            var result = await Wrk.RunAsync(peer.Port, contestant.Plan, Math.Min(options.WarmUp * 2, options.Seconds), cancellationToken);
            var cpu = (peer.Server.CpuTime - before).TotalMicroseconds / Math.Max(1, result.Requests);
            loadsWithoutGain = cpu > best * Gain ? loadsWithoutGain + 1 : 0;
            best = Math.Min(best, cpu);
        }

        await Verification.ProbeAsync(peer, contestant, cancellationToken);
    }

    // The load alone would not do: a slow server gets only to the first of many URLs.
    private static async Task StoreAllAsync(Peer peer, LoadPlan plan, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(30) };
        var bounded = new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(Enumerable.Range(0, plan.Urls ?? 0), bounded, async (url, cancel) =>
        {
            using var answer = await Verification.SendAsync(client, peer, plan, $"{url}", cancel);
        });
    }

    private static async Task<Sample> MeasureOnceAsync(Field field, Contestant contestant, BenchOptions options, CancellationToken cancellationToken)
    {
        var peer = field.PeerOf(contestant);
        await Wrk.RunAsync(peer.Port, contestant.Plan, options.WarmUp, cancellationToken);
        var originRequests = await field.OriginRequestsAsync(cancellationToken);
        var (cpu, redisCpu, core) = (peer.Server.CpuTime, peer.Redis?.CpuTime, Cores.ServerBusy());
        var result = await Wrk.RunAsync(peer.Port, contestant.Plan, options.Seconds, cancellationToken);
        (cpu, redisCpu, core) = (peer.Server.CpuTime - cpu, peer.Redis?.CpuTime - redisCpu, Cores.ServerBusy() - core);
        Verification.Check(peer, contestant, result, await field.OriginRequestsAsync(cancellationToken) - originRequests);
        return new Sample(
            result.Requests / result.Elapsed.TotalSeconds, cpu.TotalMicroseconds / result.Requests, redisCpu?.TotalMicroseconds / result.Requests,
            cpu / result.Elapsed, Math.Max(0, (core - cpu) / result.Elapsed));
    }
}

/// <summary>One measurement.</summary>
/// <param name="Rate">Requests per second.</param>
/// <param name="Cpu">Microseconds of the server's CPU time per request.</param>
/// <param name="RedisCpu">Microseconds of its Redis' CPU time per request; null: it has none.</param>
/// <param name="Load">The share of its core that the server used, 0 to 1.</param>
/// <param name="Disturbance">The share of that core that other processes used: 0 on a quiet machine.</param>
internal sealed record Sample(double Rate, double Cpu, double? RedisCpu, double Load, double Disturbance);
