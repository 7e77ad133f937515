using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Benchmarks.Peers;

/// <summary>A server on one core, with a folder of its own for its configuration, data and log.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder;
    private readonly Func<Process> _run;
    private readonly int _port;
    private Process _process;

    private ServerProcess(DirectoryInfo folder, Func<Process> run, int port)
    {
        _folder = folder;
        _run = run;
        _port = port;
        _process = run();
    }

    /// <param name="core">The core that the process and all its children run on.</param>
    /// <param name="port">It is ready when this loopback port accepts a connection.</param>
    /// <param name="command">The program and its arguments, made for the given folder.</param>
    public static async Task<ServerProcess> StartAsync(
        int core, int port, Func<string, IEnumerable<string>> command, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-bench-");
        ServerProcess? server = null;
        try
        {
            string[] words = [.. command(folder.FullName)];
            server = new ServerProcess(folder, () => Run(core, words, Log(folder)), port);
            await server.ReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            if (server is not null)
                await server.DisposeAsync();
            else
                folder.Delete(recursive: true);
            throw;
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The CPU time, in user and kernel, that the server's living processes have used so far.</summary>
    public TimeSpan CpuTime => new(Sum(process => process.TotalProcessorTime.Ticks));

    /// <summary>What the server's processes have in RAM, in bytes.</summary>
    public long ResidentSize => Sum(process => process.WorkingSet64);

    /// <summary>The most they had in RAM since <see cref="ForgetPeak"/>, in bytes.</summary>
    public long PeakResidentSize => Sum(process => process.PeakWorkingSet64);

    public void ForgetPeak()
    {
        // proc(5): 5 resets the peak resident set size.
        foreach (var id in Tree())
            File.WriteAllText($"/proc/{id}/clear_refs", "5");
    }

    /// <summary>The last lines that the server wrote.</summary>
    public string RecentOutput => string.Join('\n', File.ReadLines(Log(_folder)).TakeLast(20));

    /// <summary>Ends it as a crash does.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>Starts it again after <see cref="KillAsync"/>, and waits until it accepts connections.</summary>
    public Task StartAgainAsync(CancellationToken cancellationToken)
    {
        _process.Dispose();
        _process = _run();
        return ReadyAsync(cancellationToken);
    }

    /// <summary>Stops it without closing its connections: it answers nothing until it is resumed. For a server that is one process.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) => SignalAsync("STOP", cancellationToken);

    public Task ResumeAsync(CancellationToken cancellationToken) => SignalAsync("CONT", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private Task<string> SignalAsync(string signal, CancellationToken cancellationToken) =>
        Tool.FirstLineAsync("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {_process.Id}")], cancellationToken);

    private static string Log(DirectoryInfo folder) => Path.Combine(folder.FullName, "output.log");

    private static Process Run(int core, string[] command, string log)
    {
        // The shell is replaced by taskset, and that by the server: the id stays the same.
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "log=$1; core=$2; shift 2; exec taskset -c \"$core\" \"$@\" >\"$log\" 2>&1", "sh", log, $"{core}" },
        };
        foreach (var argument in command)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private async Task ReadyAsync(CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        while (started.Elapsed < StartLimit && !_process.HasExited)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
            }
        }

        throw new BenchException($"A server did not start ({string.Join(' ', _process.StartInfo.ArgumentList.Skip(5))}):\n{RecentOutput}");
    }

    private long Sum(Func<Process, long> value)
    {
        var sum = 0L;
        foreach (var id in Tree())
        {
            using var process = Process.GetProcessById(id);
            sum += value(process);
        }

        return sum;
    }

    // nginx and varnishd work in child processes.
    private List<int> Tree()
    {
        if (_process.HasExited)
            throw new BenchException($"A server ended by itself ({string.Join(' ', _process.StartInfo.ArgumentList.Skip(5))}).");
        var parents = Parents();
        var tree = new List<int> { _process.Id };
        for (var i = 0; i < tree.Count; i++)
            tree.AddRange(parents.Where(pair => pair.Value == tree[i]).Select(pair => pair.Key));
        return tree;
    }

    private static Dictionary<int, int> Parents()
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            try
            {
                // "id (name) state parent …", where the name may hold anything.
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                parents[id] = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile.
            }
        }

        return parents;
    }
}
