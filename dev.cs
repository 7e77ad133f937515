#!/usr/bin/env dotnet
#:property PublishAot=false

// Starts what a developer of the gateway needs, and holds no logic of its own. 'dotnet dev.cs' alone shows the commands.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Xml.Linq;

const string help = """
    dotnet dev.cs COMMAND

      up [--gateways N] [--redis CONFIGURATION]
                      builds and starts two sample backends and N gateways (1 to 4, default 1), on the embedded Redis
                      unless a Redis is named; prints addresses and commands to try; Ctrl-C ends all of it
      test [ARG]...   builds and runs all tests; installs redis-server where it is missing and possible.
                      ARGs go to 'dotnet test', such as --filter Purge
      conformance [--update]
                      runs the HTTP cache conformance suite against a gateway (needs Node.js; see docs/conformance.md)
      bench [ARG]...  measures the gateway beside its peers; without ARGs it lists what can be measured
      schema          writes appsettings.schema.json and docs/where-is-it-decided.md anew from the sources
      check           verifies that the code is formatted and builds without warnings
    """;

const string configuration = "Release";
var root = RepositoryRoot();
using var stop = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

try
{
    return args switch
    {
        ["up", .. var options] => await UpAsync(options),
        ["test", .. var options] => await TestAsync(options),
        ["conformance", .. var options] => await ConformanceAsync(options),
        ["bench", .. var options] => await BenchAsync(options),
        ["schema"] => await SchemaAsync(),
        ["check"] => await CheckAsync(),
        [] or ["help" or "--help" or "-h"] => Say(help, 0),
        _ => Say($"There is no such command: {string.Join(' ', args)}\n\n{help}", 2),
    };
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return args[0] == "up" ? 0 : 130;
}
catch (Failure failure)
{
    return Say(failure.Message, 1);
}

void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

async Task<int> UpAsync(string[] options)
{
    var (gateways, redis) = ReadUpOptions(options);
    const int redisPort = 6390;
    var publicPorts = Enumerable.Range(0, gateways).Select(i => 8080 + (2 * i)).ToArray();
    RequireFreePorts([5101, 5102, .. redis is null ? [redisPort] : Array.Empty<int>(), .. publicPorts, .. publicPorts.Select(port => port + 1)]);
    await BuildAsync("src/Gateway");
    await BuildAsync("src/SampleBackend");
    var shared = redis ?? $"localhost:{redisPort}";
    var key = Path.Combine(Directory.CreateDirectory(Path.Combine(root, ".dev")).FullName, "identity.pem");
    var children = new List<Child>();
    try
    {
        // The first gateway holds the embedded Redis, which everything else connects to.
        for (var i = 0; i < gateways; i++)
        {
            var port = publicPorts[i];
            string[] store = i == 0 && redis is null ? [$"--Redis:EmbeddedPort={redisPort}"] : [$"--Redis:Configuration={shared}"];
            children.Add(Start($"gateway-{i + 1}", "src/Gateway", "Gateway", $"http://localhost:{port + 1}/readyz",
                ["--urls", $"http://localhost:{port}", $"--Admin:Urls=http://localhost:{port + 1}", "--Hosting:DrainSeconds=0",
                 "--config", Path.Combine(root, "src/SampleBackend/storefront.gateway.json"), .. store]));
        }

        foreach (var (name, port) in new[] { ("a", 5101), ("b", 5102) })
        {
            children.Add(Start($"backend-{name}", "src/SampleBackend", "SampleBackend", $"http://localhost:{port}/healthz",
                ["--name", name, "--urls", $"http://localhost:{port}", $"--Redis:Configuration={shared}", $"--Identity:SigningKeyFile={key}"]));
        }

        foreach (var child in children)
            await ReadyAsync(child);
        Console.WriteLine($"\nThe gateway is up: {string.Join(", ", publicPorts.Select(port => $"http://localhost:{port} (admin http://localhost:{port + 1})"))}");
        Console.WriteLine($"Behind it: backends http://localhost:5101 and http://localhost:5102, Redis at {shared}{(redis is null ? " (embedded)" : "")}; logs in .dev/\n");
        Console.WriteLine(await File.ReadAllTextAsync(Path.Combine(root, "requests/first-steps.txt"), stop.Token));
        await await Task.WhenAny(children.Select(child => child.Process.WaitForExitAsync(stop.Token)));
        throw new Failure($"A process ended by itself: {string.Join(", ", children.Where(child => child.Process.HasExited).Select(child => $"{child.Name}, see {child.Log}"))}");
    }
    finally
    {
        foreach (var child in children)
            await EndAsync(child);
    }
}

(int Gateways, string? Redis) ReadUpOptions(string[] options)
{
    var (gateways, redis) = (1, (string?)null);
    for (var i = 0; i < options.Length; i += 2)
    {
        if (options[i] == "--gateways" && i + 1 < options.Length && int.TryParse(options[i + 1], out gateways) && gateways is >= 1 and <= 4)
            continue;
        if (options[i] == "--redis" && i + 1 < options.Length)
            redis = options[i + 1];
        else
            throw new Failure($"'up' does not understand '{string.Join(' ', options[i..])}'.\n\n{help}");
    }

    return (gateways, redis);
}

void RequireFreePorts(int[] ports)
{
    foreach (var port in ports)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
        }
        catch (SocketException)
        {
            throw new Failure($"Port {port} is in use, perhaps by another 'dotnet dev.cs up'. End what listens there and try again.");
        }
    }
}

Child Start(string name, string project, string assembly, string health, string[] arguments)
{
    var log = Path.Combine(root, ".dev", name + ".log");
    var program = Path.Combine(root, project, "bin", configuration, "net10.0", assembly + ".dll");
    var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true };
    var writer = TextWriter.Synchronized(new StreamWriter(log) { AutoFlush = true });
    var process = Process.Start(start)!;
    process.OutputDataReceived += (_, line) => writer.WriteLine(line.Data);
    process.ErrorDataReceived += (_, line) => writer.WriteLine(line.Data);
    process.BeginOutputReadLine();
    process.BeginErrorReadLine();
    return new Child(name, process, log, health);
}

async Task ReadyAsync(Child child)
{
    using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
    using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
    limit.CancelAfter(TimeSpan.FromSeconds(60));
    while (true)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri(child.Health), limit.Token);
            if (answer.IsSuccessStatusCode)
                return;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !limit.IsCancellationRequested)
        {
        }

        if (child.Process.HasExited || limit.IsCancellationRequested)
            throw new Failure($"{child.Name} did not become ready:\n{await File.ReadAllTextAsync(child.Log, stop.Token)}");
        await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stop.Token);
    }
}

async Task EndAsync(Child child)
{
    if (!child.Process.HasExited && !OperatingSystem.IsWindows())
    {
        using var signal = Process.Start("kill", ["-TERM", $"{child.Process.Id}"]);
        await signal.WaitForExitAsync();
        await Task.WhenAny(child.Process.WaitForExitAsync(), Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System));
    }

    if (!child.Process.HasExited)
        child.Process.Kill(entireProcessTree: true);
    child.Process.Dispose();
}

async Task<int> TestAsync(string[] options)
{
    await RequireAsync("redis-server", "redis-server", "Install it: brew install redis", "On Windows run the tests inside WSL: redis-server exists for Linux and macOS only.");
    await BuildAsync("Gateway.sln");
    var results = Path.Combine(root, "TestResults");
    if (Directory.Exists(results))
        Directory.Delete(results, recursive: true);
    // One project at a time: tests of time share the cores with nobody.
    var exit = await RunAsync("dotnet", ["test", "Gateway.sln", "-c", configuration, "--no-build", "--nologo", "-m:1", "--logger", "trx", "--results-directory", results, .. options]);

    var (passed, failed) = (0, 0);
    foreach (var file in Directory.Exists(results) ? Directory.GetFiles(results, "*.trx") : [])
    {
        var counters = XDocument.Load(file).Descendants().Single(element => element.Name.LocalName == "Counters");
        passed += (int)counters.Attribute("passed")!;
        failed += (int)counters.Attribute("total")! - (int)counters.Attribute("passed")!;
    }

    Console.WriteLine($"{passed} passed, {failed} failed");
    return exit != 0 ? exit : passed == 0 ? 1 : failed;
}

async Task<int> ConformanceAsync(string[] options)
{
    await RequireAsync("npm", "nodejs npm", "Install it: brew install node", "Install it: winget install OpenJS.NodeJS.LTS");
    await BuildAsync("src/Gateway");
    await MustRunAsync(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["ci", "--prefix", "tests/conformance", "--no-audit", "--no-fund"]);
    return await RunAsync("node", ["tests/conformance/run.mjs", .. options]);
}

async Task<int> BenchAsync(string[] options)
{
    foreach (var (program, package) in new[] { ("redis-server", "redis-server"), ("nginx", "nginx-light"), ("varnishd", "varnish"), ("wrk", "wrk") })
        await RequireAsync(program, package, "The peers are measured on Linux.", "The peers are measured on Linux.");
    return await RunAsync("dotnet", ["run", "--project", "bench/Gateway.Benchmarks", "-c", configuration, "--", .. options]);
}

async Task<int> SchemaAsync()
{
    await BuildAsync("tests/Gateway.UnitTests");
    await MustRunAsync("dotnet", [$"src/Gateway/bin/{configuration}/net10.0/Gateway.dll", "--write-schema", "src/Gateway/appsettings.schema.json"]);
    Environment.SetEnvironmentVariable("GATEWAY_WRITE_DOCS", "1");
    return await RunAsync("dotnet", ["test", "tests/Gateway.UnitTests", "-c", configuration, "--no-build", "--nologo", "--filter", "ReasonTable"]);
}

async Task<int> CheckAsync()
{
    await BuildAsync("Gateway.sln");
    return await RunAsync("dotnet", ["format", "Gateway.sln", "--no-restore", "--verify-no-changes"]);
}

async Task RequireAsync(string program, string debianPackages, string onMacOS, string onWindows)
{
    if (IsOnPath(program))
        return;
    if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() || !IsOnPath("apt-get"))
        throw new Failure($"{program} is missing. {(OperatingSystem.IsWindows() ? onWindows : OperatingSystem.IsMacOS() ? onMacOS : $"Install your system's package of it (Debian: {debianPackages}).")}");

    Console.WriteLine($"{program} is missing: installing Debian's {debianPackages}.");
    string[] sudo = Environment.UserName == "root" ? [] : ["sudo", "-n"];
    string[] update = [.. sudo, "apt-get", "update", "-qq"];
    string[] install = [.. sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", .. debianPackages.Split(' ')];
    if (await RunAsync(update[0], update[1..]) != 0 || await RunAsync(install[0], install[1..]) != 0 || !IsOnPath(program))
        throw new Failure($"{program} could not be installed. Install it with: sudo apt-get install {debianPackages}");
}

static bool IsOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
    .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")) || File.Exists(Path.Combine(folder, program + ".cmd")));

Task BuildAsync(string what) => MustRunAsync("dotnet", ["build", what, "-c", configuration, "-v", "quiet", "--nologo"]);

async Task MustRunAsync(string program, string[] arguments)
{
    if (await RunAsync(program, arguments) is not 0 and var exit)
        throw new Failure($"'{program} {string.Join(' ', arguments)}' ended with {exit}.");
}

async Task<int> RunAsync(string program, string[] arguments)
{
    var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = root };
    // Build servers that outlive the command would hold its output open.
    start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
    using var process = Process.Start(start)!;
    try
    {
        await process.WaitForExitAsync(stop.Token);
        return process.ExitCode;
    }
    catch (OperationCanceledException)
    {
        process.Kill(entireProcessTree: true);
        throw;
    }
}

static int Say(string text, int exit)
{
    (exit == 0 ? Console.Out : Console.Error).WriteLine(text);
    return exit;
}

static string RepositoryRoot([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

internal sealed record Child(string Name, Process Process, string Log, string Health);

internal sealed class Failure(string message) : Exception(message);
