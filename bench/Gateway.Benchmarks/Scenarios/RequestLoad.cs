using System.Globalization;
using Gateway.Benchmarks.Load;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Reports;

namespace Gateway.Benchmarks.Scenarios;

/// <summary>Many small requests: requests per second, and CPU time per request, in rounds in which contestants take turns.</summary>
internal static class RequestLoad
{
    // Filling a cache of 20,000 URLs, and compiling what is hot, takes several of these.
    private const int SettleSeconds = 2;
    private const int MaxSettles = 10;

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
        for (var i = 0; i < MaxSettles; i++)
        {
            var before = await field.OriginRequestsAsync(cancellationToken);
            await Wrk.RunAsync(peer.Port, contestant.Plan, SettleSeconds, cancellationToken);
            var isFilled = contestant.Plan.ReachesOrigin || await field.OriginRequestsAsync(cancellationToken) == before;
            if (isFilled && i + 1 >= 2 * options.WarmUp)
                break;
        }

        await Verification.ProbeAsync(peer, contestant, cancellationToken);
    }

    private static async Task<Sample> MeasureOnceAsync(Field field, Contestant contestant, BenchOptions options, CancellationToken cancellationToken)
    {
        var peer = field.PeerOf(contestant);
        await Wrk.RunAsync(peer.Port, contestant.Plan, options.WarmUp, cancellationToken);
        var originRequests = await field.OriginRequestsAsync(cancellationToken);
        var (cpu, redisCpu, core) = (peer.Server.CpuTime, peer.Redis?.CpuTime, Cores.ServerBusy());
        var result = await Wrk.RunAsync(peer.Port, contestant.Plan, options.Seconds, cancellationToken);
        (cpu, redisCpu, core) = (peer.Server.CpuTime - cpu, peer.Redis?.CpuTime - redisCpu, Cores.ServerBusy() - core);
        Verification.Check(contestant, result, await field.OriginRequestsAsync(cancellationToken) - originRequests);
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
