using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// Clients that each send a request at fixed times, whether the server is fast or slow: what a stalled server keeps waiting
/// counts as waiting. Some of them ask for what is stored, the others for what nobody has yet: with one connection for both,
/// a stored answer would wait behind one that is fetched. The latter ask so seldom that an answer within
/// <see cref="FetchPeriod"/> keeps no later request of the same connection waiting.
/// </summary>
internal sealed class SteadyLoad : IAsyncDisposable
{
    /// <summary>Those that ask for what is stored.</summary>
    public const int Clients = 64;

    /// <summary>Requests per second for what is stored, of all clients: a fraction of what the server can do, so that no queue hides a stall.</summary>
    public const int Rate = 1900;

    /// <summary>Those that ask for what nobody has.</summary>
    public const int FetchingClients = 100;

    /// <summary>How often each of those asks.</summary>
    public static readonly TimeSpan FetchPeriod = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<SteadyAnswer> _answers = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly int _port;
    private readonly string _prefix;
    private readonly int _urls;
    private readonly string _run = Guid.NewGuid().ToString("n");
    private readonly Task[] _clients;

    /// <param name="port">The server's loopback port.</param>
    /// <param name="prefix">The beginning of the paths; a number follows.</param>
    /// <param name="urls">How many stored URLs are requested in turn.</param>
    public SteadyLoad(int port, string prefix, int urls)
    {
        (_port, _prefix, _urls) = (port, prefix, urls);
        var hitPeriod = TimeSpan.FromSeconds((double)Clients / Rate);
        _clients =
        [
            .. Enumerable.Range(0, Clients).Select(client => Task.Run(() =>
                SendAsync(hitPeriod, hitPeriod * client / Clients, n => $"{_prefix}{((n * Clients) + client) % _urls}"))),
            .. Enumerable.Range(0, FetchingClients).Select(client => Task.Run(() =>
                SendAsync(FetchPeriod, FetchPeriod * client / FetchingClients, n => $"{_prefix}{_run}-{client}-{n}"))),
        ];
    }

    /// <summary>The answers since the last call.</summary>
    public List<SteadyAnswer> Take()
    {
        var taken = new List<SteadyAnswer>();
        while (_answers.TryDequeue(out var answer))
            taken.Add(answer);
        return taken;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
        _stop.Dispose();
    }

    private async Task SendAsync(TimeSpan period, TimeSpan offset, Func<int, string> pathOf)
    {
        var start = Stopwatch.GetTimestamp() + (long)(offset.TotalSeconds * Stopwatch.Frequency);
        var free = start;
        OpenConnection? connection = null;
        try
        {
            for (var n = 0; ; n++)
            {
                var due = start + (long)(n * period.TotalSeconds * Stopwatch.Frequency);
                var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (left > TimeSpan.Zero)
                    await Task.Delay(left, TimeProvider.System, _stop.Token);
                // A client that was free when the request was due is not kept by the server, only by its own timer.
                var since = free > due ? due : Stopwatch.GetTimestamp();
                (connection, var answer) = await AskAsync(connection, pathOf(n));
                free = Stopwatch.GetTimestamp();
                _answers.Enqueue(new SteadyAnswer(Stopwatch.GetElapsedTime(since, free), answer?.IsHit ?? false, answer?.Status ?? 0));
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The load ends.
        }
        finally
        {
            connection?.Dispose();
        }
    }

    // A failed request takes its connection with it.
    private async Task<(OpenConnection? Connection, Answer? Answer)> AskAsync(OpenConnection? connection, string path)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        deadline.CancelAfter(Limit);
        try
        {
            connection ??= await OpenConnection.OpenAsync(node: 0, _port, deadline.Token);
            return (connection, await connection.GetAsync(path, "steady", "en", "", deadline.Token));
        }
        catch (Exception e) when (e is SocketException or BenchException or OperationCanceledException && !_stop.IsCancellationRequested)
        {
            connection?.Dispose();
            return (null, null);
        }
    }
}

/// <summary>One answer.</summary>
/// <param name="Time">From when the request was due, or sent where the client's own timer was late.</param>
/// <param name="IsHit">Whether it came from the store.</param>
/// <param name="Status">Its status; 0: none came.</param>
internal sealed record SteadyAnswer(TimeSpan Time, bool IsHit, int Status);
