using System.Runtime.CompilerServices;
using SampleBackend.Hosting;

namespace SampleBackend.Script;

/// <summary>One request as the origin saw it.</summary>
internal sealed record ScriptRequest(string Method, string Path, string Query, DateTimeOffset At, Dictionary<string, string[]> Fields);

internal sealed record ScriptCount(string Id, long Count);

/// <summary>What the scripts have seen, by run: 10,000 runs at most (the oldest is forgotten), and the last 5,000 requests of all runs together.</summary>
internal sealed class ScriptRuns
{
    private const int MostLogged = 5_000;

    private readonly BoundedMap<ScriptRun> _runs = new(10_000);
    private readonly Queue<(ScriptRun Run, ScriptRequest Request)> _log = new();
    private readonly Lock _logGate = new();

    public ScriptRun Of(string id) => _runs.GetOrAdd(id, () => new ScriptRun());

    public ScriptRun? Find(string id) => _runs.Find(id);

    /// <summary>Forgets a run, and lets go whoever it holds.</summary>
    public void Reset(string id) => _runs.Remove(id)?.Release();

    public void Log(ScriptRun run, ScriptRequest request)
    {
        lock (_logGate)
        {
            if (_log.Count == MostLogged) _log.Dequeue();
            _log.Enqueue((run, request));
        }
    }

    public ScriptRequest[] LogOf(ScriptRun run)
    {
        lock (_logGate) return [.. _log.Where(entry => entry.Run == run).Select(entry => entry.Request)];
    }
}

/// <summary>The state of one script run: its counters, the plan that was set for it, and the gate for <c>hold=1</c>.</summary>
internal sealed class ScriptRun
{
    private readonly BoundedMap<StrongBox<long>> _byPath = new(1_000);
    private long _count;
    private volatile ScriptPlan? _plan;
    private volatile TaskCompletionSource _gate = NewGate();

    /// <summary>Replaces what the requests' own queries say, so that one URL can change its answer.</summary>
    public ScriptPlan? Plan
    {
        get => _plan;
        set => _plan = value;
    }

    public long Count => Interlocked.Read(ref _count);

    /// <summary>Completes at the next <see cref="Release"/>.</summary>
    public Task Released => _gate.Task;

    /// <summary>Counts a request; the answer is its number on this path.</summary>
    public long Add(string path)
    {
        Interlocked.Increment(ref _count);
        return Interlocked.Increment(ref _byPath.GetOrAdd(path, () => new StrongBox<long>()).Value);
    }

    public long CountOf(string path) => _byPath.Find(path) is { } count ? Interlocked.Read(ref count.Value) : 0;

    /// <summary>Lets go everyone who is held now; later ones are held again.</summary>
    public void Release() => Interlocked.Exchange(ref _gate, NewGate()).SetResult();

    private static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
