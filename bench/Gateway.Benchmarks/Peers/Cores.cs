using System.Diagnostics;
using System.Globalization;

namespace Gateway.Benchmarks.Peers;

/// <summary>Which processor core runs what: the server under test has one to itself.</summary>
internal static class Cores
{
    public const int Server = 0;

    /// <summary>The load, the origin, Redis, and this process.</summary>
    public const int Rest = 1;

    /// <summary>Checks that the machine has what the measurements need, and moves this process off the server's core.</summary>
    /// <exception cref="BenchException">It has not.</exception>
    public static void Require()
    {
        if (!OperatingSystem.IsLinux())
            throw new BenchException("The benchmarks run on Linux: they pin processes to cores and read their CPU time from /proc.");
        if (Environment.ProcessorCount < 2)
            throw new BenchException("The benchmarks need two processor cores: one for the server under test, one for the load.");
        using var self = Process.GetCurrentProcess();
        self.ProcessorAffinity = 1 << Rest;
    }

    /// <summary>How long the server's core has worked since the machine started, for whomever.</summary>
    public static TimeSpan ServerBusy()
    {
        // proc(5): user, nice, system, idle, iowait, irq, softirq, steal, in hundredths of a second.
        var fields = File.ReadLines("/proc/stat").First(line => line.StartsWith($"cpu{Server} ", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        return TimeSpan.FromMilliseconds(10 * (fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]));
    }
}
