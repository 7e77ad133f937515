using System.Diagnostics;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>The gateway as a process of its own, for what only a process shows: exit codes, output, signals.</summary>
internal static class GatewayProcess
{
    public static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(typeof(Program).Assembly.Location);
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        return Process.Start(start)!;
    }
}
