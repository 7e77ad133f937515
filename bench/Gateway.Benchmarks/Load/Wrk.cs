using System.Diagnostics;
using System.Globalization;
using Gateway.Benchmarks.Peers;

namespace Gateway.Benchmarks.Load;

/// <summary>The load generator: 32 connections that each send the next request when the last one is answered.</summary>
internal static class Wrk
{
    private const int Connections = 32;
    private const string ResultMark = "RESULT ";

    /// <exception cref="BenchException">It did not run to its end.</exception>
    public static async Task<LoadResult> RunAsync(int port, LoadPlan plan, int seconds, CancellationToken cancellationToken)
    {
        var script = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(script, Script(plan), cancellationToken);
            var start = new ProcessStartInfo("taskset") { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in (string[])[
                "-c", $"{Cores.Rest}", "wrk", "-t1", $"-c{Connections}", $"-d{seconds}s", "--timeout", "10s", "-s", script, $"http://127.0.0.1:{port}"])
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start)!;
            return Parse(await OutputAsync(process, TimeSpan.FromSeconds(seconds + 30), cancellationToken));
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static async Task<string> OutputAsync(Process process, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(deadline.Token);
            var output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return output + await errors;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private static LoadResult Parse(string output)
    {
        var numbers = output.Split('\n').FirstOrDefault(line => line.StartsWith(ResultMark, StringComparison.Ordinal))?[ResultMark.Length..]
            .Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return numbers is [var requests, var microseconds, var bytes, var errors]
            ? new LoadResult(requests, TimeSpan.FromMicroseconds(microseconds), bytes, errors)
            : throw new BenchException($"wrk failed:\n{output}");
    }

    // Requests are texts made beforehand: the generator must not be what is measured.
    private static string Script(LoadPlan plan)
    {
        var fields = string.Concat(plan.Fields.Select(field => $"wrk.headers[{Quoted(field.Name)}] = {Quoted(field.Value)}\n"));
        var requests = plan.Urls is { } urls
            ? $$"""
                local requests, n = {}, 0
                function init(args)
                  for i = 1, {{urls}} do requests[i] = wrk.format("GET", {{Quoted(plan.Prefix)}} .. (i - 1)) end
                end
                function request()
                  n = n % {{urls}} + 1
                  return requests[n]
                end
                """
            : $$"""
                local head, tail, n = "", "", 0
                function init(args)
                  local whole = wrk.format("GET", {{Quoted($"{plan.Prefix}{Guid.NewGuid():n}-@")}})
                  local at = whole:find("@", 1, true)
                  head, tail = whole:sub(1, at - 1), whole:sub(at + 1)
                end
                function request()
                  n = n + 1
                  return head .. n .. tail
                end
                """;
        return $$"""
            {{fields}}
            {{requests}}
            function done(summary, latency, requests)
              local e = summary.errors
              io.write(string.format("{{ResultMark}}%d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
                e.connect + e.read + e.write + e.timeout + e.status))
            end
            """;
    }

    private static string Quoted(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
