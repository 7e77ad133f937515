using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A gateway as a process of its own, on free ports: it can be paused and killed.</summary>
internal sealed class ProcessNode : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;
    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private ProcessNode(DirectoryInfo directory, string config, string redis, IReadOnlyDictionary<string, string> environment)
    {
        _directory = directory;
        var (publicAddress, adminAddress) = ($"http://127.0.0.1:{FreePort.Next()}", $"http://127.0.0.1:{FreePort.Next()}");
        _process = GatewayProcess.Start(
            [
                "--urls", publicAddress, $"--Admin:Urls={adminAddress}", "--config", config, $"--Redis:Configuration={redis}",
                "--Hosting:DrainSeconds=0", "--Logging:LogLevel:Default=Warning", "--Logging:LogLevel:Gateway=Information",
            ],
            environment);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Public = GatewayNode.CreateClient(new Uri(publicAddress));
        Admin = GatewayNode.CreateClient(new Uri(adminAddress));
    }

    /// <summary>Talks to the public listener: follows no redirects, keeps no cookies.</summary>
    public HttpClient Public { get; }

    /// <summary>Talks to the admin listener.</summary>
    public HttpClient Admin { get; }

    /// <summary>What it wrote.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <param name="config">The configuration, to be serialized.</param>
    /// <param name="redis">A connection string.</param>
    /// <param name="environment">What its environment has beside this process's.</param>
    public static async Task<ProcessNode> StartAsync(object config, string redis, IReadOnlyDictionary<string, string>? environment = null)
    {
        var directory = Directory.CreateTempSubdirectory("gateway-test-");
        var path = Path.Combine(directory.FullName, "gateway.json");
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(config));
        var node = new ProcessNode(directory, path, redis, environment ?? new Dictionary<string, string>());
        try
        {
            await Eventually.TrueAsync(node.IsReadyAsync, "the gateway is ready", TimeSpan.FromSeconds(60));
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops it without closing its connections: it answers nothing until it is resumed.</summary>
    public void Pause() => _process.Pause();

    public void Resume() => _process.Resume();

    /// <summary>Ends it as a crash would: with SIGKILL.</summary>
    public Task KillAsync()
    {
        _process.Kill();
        return _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
        Public.Dispose();
        Admin.Dispose();
        _directory.Delete(recursive: true);
    }

    private void Keep(string? line)
    {
        lock (_output)
            _output.AppendLine(line);
    }

    private async Task<bool> IsReadyAsync()
    {
        Assert.False(_process.HasExited, $"The gateway ended: {Output}");
        try
        {
            using var response = await Public.GetAsync("/readyz");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
