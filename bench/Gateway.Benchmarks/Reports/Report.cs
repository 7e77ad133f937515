using System.Runtime.InteropServices;
using Gateway.Benchmarks.Peers;
using Gateway.Benchmarks.Scenarios;

namespace Gateway.Benchmarks.Reports;

/// <summary>A result with all that is needed to judge and to repeat it.</summary>
internal static class Report
{
    public static async Task<string> ComposeAsync(
        Scenario scenario, Table table, Field field, string[] args, CancellationToken cancellationToken)
    {
        var servers = string.Join('\n', field.Peers.Select(peer => $"- {peer.Name}: {peer.Version}"));
        var redis = await Tool.FirstLineAsync("redis-server", ["--version"], cancellationToken);
        var wrk = await Tool.FirstLineAsync("wrk", ["--version"], cancellationToken);
        return $"""
            # {scenario.Name}

            {scenario.Summary}

            {table.ToMarkdown()}
            {table.Note}

            - Command: `dotnet dev.cs bench {string.Join(' ', args)}`
            - Date: {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC
            - Machine: {Processor()}, {CountCores()} cores; {RuntimeInformation.OSDescription}
            - Load: {wrk}
            - Redis: {redis}
            {servers}

            """;
    }

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown processor";

    // Environment.ProcessorCount is what this process may use: one.
    private static int CountCores() => File.ReadLines("/proc/cpuinfo").Count(line => line.StartsWith("processor", StringComparison.Ordinal));
}
