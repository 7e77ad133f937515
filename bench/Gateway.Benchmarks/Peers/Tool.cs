using System.ComponentModel;
using System.Diagnostics;

namespace Gateway.Benchmarks.Peers;

/// <summary>Asks a program for one line.</summary>
internal static class Tool
{
    /// <returns>The first line that it wrote to either output.</returns>
    public static async Task<string> FirstLineAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (await output + await errors).Split('\n')[0].Trim();
        }
        catch (Win32Exception)
        {
            return $"{program} is not installed";
        }
    }
}
