using System.Runtime.InteropServices;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Reports;
using Gateway.Benchmarks.Scenarios;
using Gateway.Benchmarks.Servers;

namespace Gateway.Benchmarks;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["serve", .. var serve])
            return await ServeCommand.RunAsync(serve);

        using var stop = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        try
        {
            var options = BenchOptions.Parse(args);
            if (options.Scenarios.Count == 0)
            {
                Console.WriteLine(BenchOptions.Help);
                return 0;
            }

            Cores.Require();
            foreach (var scenario in options.Scenarios)
                await RunAsync(scenario, options, args, stop.Token);
            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 130;
        }
        catch (BenchException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static async Task RunAsync(Scenario scenario, BenchOptions options, string[] args, CancellationToken cancellationToken)
    {
        Console.WriteLine($"{scenario.Name}: {scenario.Summary}");
        await using var field = await Field.StartAsync(scenario.Chosen(options.Only), cancellationToken);
        var table = await scenario.Measure(scenario, field, options, cancellationToken);
        var report = await Report.ComposeAsync(scenario, table, field, args, cancellationToken);
        Console.WriteLine($"\n{report}");
        var path = Path.Combine(Repository.Root, "bench", "results", scenario.Name + ".md");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, report, cancellationToken);
        Console.WriteLine($"Written to {path}\n");
    }
}

/// <summary>Why nothing can be measured, for the person who asked.</summary>
internal sealed class BenchException(string message) : Exception(message);
