using System.Diagnostics;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>The gateway as a process of its own, for what only a process shows: exit codes, output, signals.</summary>
internal static class GatewayProcess
{
    public static Process Start(params string[] args) => Start(args, new Dictionary<string, string>());

    /// <param name="args">The command line.</param>
    /// <param name="environment">What its environment has beside this process's.</param>
    public static Process Start(string[] args, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(Program).Assembly.Location);
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
