using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Infrastructure;

/// <summary>A real redis-server on a free loopback port, with the faults a real one has.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("gateway-redis-").FullName;
    private readonly string[] _options;
    private string? _configurationFile;
    private string _saysWhenReady = "Ready to accept connections";
    private Process? _process;

    private RedisServer(int port, string[] options) => (Port, _options) = (port, options);

    public int Port { get; }

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <param name="options">More of the command line, such as <c>--cluster-enabled yes</c> as two items.</param>
    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = new RedisServer(FreePort.Next(), options);
        await server.StartProcessAsync();
        return server;
    }

    /// <summary>Starts a server that watches others.</summary>
    /// <param name="configuration">The lines of its configuration file, such as <c>sentinel monitor …</c>.</param>
    public static async Task<RedisServer> StartSentinelAsync(params string[] configuration)
    {
        var sentinel = new RedisServer(FreePort.Next(), ["--sentinel"]) { _saysWhenReady = "Sentinel ID is" };
        // It writes what it learns to its file.
        sentinel._configurationFile = Path.Combine(sentinel._directory, "sentinel.conf");
        await File.WriteAllLinesAsync(sentinel._configurationFile, configuration);
        await sentinel.StartProcessAsync();
        return sentinel;
    }

    /// <summary>Ends the server as a crash would: nothing is saved.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Starts it again on the same port, with what <see cref="SaveAsync"/> last wrote, or empty.</summary>
    /// <param name="options">More of the command line, this time.</param>
    public async Task RestartAsync(bool withSavedData = false, params string[] options)
    {
        if (!_process!.HasExited)
            await KillAsync();
        if (!withSavedData)
            File.Delete(Path.Combine(_directory, "dump.rdb"));
        await StartProcessAsync(options);
    }

    /// <summary>Writes a snapshot, which a later restart can go back to.</summary>
    public Task SaveAsync() => Eventually.TrueAsync(
        async () =>
        {
            try
            {
                await ExecuteAsync("SAVE");
                return true;
            }
            catch (RedisServerException exception) when (exception.Message.Contains("Background save already in progress", StringComparison.Ordinal))
            {
                // A replica is being filled.
                return false;
            }
        },
        "a snapshot is written");

    /// <summary>Runs one command, on a connection of its own.</summary>
    public async Task<RedisResult> ExecuteAsync(string command, params object[] arguments)
    {
        await using var connection = await ConnectAsync();
        return await connection.GetServers()[0].ExecuteAsync(command, arguments);
    }

    /// <summary>What <see cref="SaveAsync"/> last wrote, byte by byte; short texts are in it as they are.</summary>
    public string ReadSnapshot() => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(_directory, "dump.rdb")));

    /// <summary>Every key and value.</summary>
    public async Task<IReadOnlyList<string>> ReadEverythingAsync()
    {
        await using var connection = await ConnectAsync();
        var database = connection.GetDatabase();
        var all = new List<string>();
        await foreach (var key in connection.GetServers()[0].KeysAsync())
        {
            all.Add(key!);
            all.AddRange(await database.KeyTypeAsync(key) switch
            {
                RedisType.String => [Text(await database.StringGetAsync(key))],
                RedisType.Hash => (await database.HashGetAllAsync(key)).Select(entry => $"{Text(entry.Name)} {Text(entry.Value)}"),
                RedisType.SortedSet => (await database.SortedSetRangeByRankAsync(key)).Select(Text),
                RedisType.Set => (await database.SetMembersAsync(key)).Select(Text),
                RedisType.None => [],
                var other => throw new NotSupportedException($"{key} is a {other}: say how it is read."),
            });
        }

        return all;

        static string Text(RedisValue value) => System.Text.Encoding.Latin1.GetString((byte[]?)value ?? []);
    }

    /// <summary>Stops the process without closing its connections: calls get no answer.</summary>
    public void Pause() => _process!.Pause();

    public void Resume() => _process!.Resume();

    /// <summary>A connection of the test's own, to look at what the gateway wrote.</summary>
    public Task<ConnectionMultiplexer> ConnectAsync()
    {
        var options = ConfigurationOptions.Parse($"{ConnectionString},allowAdmin=true");
        // A sentinel knows other commands.
        if (_configurationFile is not null)
            options.CommandMap = CommandMap.Sentinel;
        return ConnectionMultiplexer.ConnectAsync(options);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        _process?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartProcessAsync(params string[] more)
    {
        var start = new ProcessStartInfo("redis-server")
        {
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "--port", $"{Port}", "--bind", "127.0.0.1", "--dir", _directory, "--save", "", "--appendonly", "no", "--daemonize", "no",
            },
        };
        foreach (var option in _options.Concat(more))
            start.ArgumentList.Add(option);
        if (_configurationFile is not null)
            start.ArgumentList.Insert(0, _configurationFile);
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException("These tests need redis-server on the PATH: run them with 'dotnet dev.cs test', which installs it.", exception);
        }

        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains(_saysWhenReady, StringComparison.Ordinal))
            {
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"redis-server did not start on port {Port}.");
    }
}

/// <summary>
/// Ports for servers that are told theirs. Below those that the system gives to outgoing connections, of which these
/// tests make thousands: one could take the port before the server does.
/// </summary>
public static class FreePort
{
    private const int First = 10_000;
    private const int Count = 22_000;

    // Other test runs on the same machine begin elsewhere.
    private static int _last = Random.Shared.Next(Count);

    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref _last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
