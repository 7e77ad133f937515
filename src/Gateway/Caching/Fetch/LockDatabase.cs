using System.Collections.Concurrent;
using System.Reflection;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>
/// What RedLock.net sees of one server: the three calls it makes, with the deadline and the circuit of every other call. Its
/// timer extends by a call that blocks; here that call is sent and not waited for, and its outcome told at the next one.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
internal class LockDatabase : DispatchProxy
{
    private const int Extended = 1;
    private const int NotExtended = 0;

    // By the lock's id: those that were asked for, that the server may hold, and that were not given back.
    private readonly ConcurrentDictionary<RedisValue, Extension> _locks = new();
    private RedisConnection? _server;

    private RedisConnection Server => _server ?? throw new InvalidOperationException("The view was not made by Over.");

    /// <summary>Makes the view of a server.</summary>
    public static IDatabase Over(RedisConnection server)
    {
        var view = Create<IDatabase, LockDatabase>();
        ((LockDatabase)view)._server = server;
        return view;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">RedLock.net is not known to use the member, or not with such arguments.</exception>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => (targetMethod?.Name, args) switch
    {
        (nameof(IDatabase.StringSetAsync), [RedisKey key, RedisValue id, TimeSpan expiry, When.NotExists, CommandFlags.DemandMaster]) =>
            AcquireAsync(key, id, expiry),
        (nameof(IDatabase.ScriptEvaluateAsync), [string script, RedisKey[] keys, RedisValue[] and [var id] values, CommandFlags.DemandMaster]) =>
            ReleaseAsync(new Script(script, keys, values), id),
        (nameof(IDatabase.ScriptEvaluate), [string script, RedisKey[] keys, RedisValue[] and [var id, _] values, CommandFlags.DemandMaster]) =>
            Extend(new Script(script, keys, values), id),
        _ => throw new NotSupportedException($"RedLock.net is not given IDatabase.{targetMethod?.Name} with such arguments."),
    };

    private async Task<bool> AcquireAsync(RedisKey key, RedisValue id, TimeSpan expiry)
    {
        _locks[id] = new Extension();
        var reply = await Server.TryAsync(
            static (database, set) => database.StringSetAsync(set.key, set.id, set.expiry, When.NotExists, CommandFlags.DemandMaster),
            (key, id, expiry),
            CancellationToken.None);
        if (!reply.TryGet(out var isGranted))
            throw new RedisException("The lock server did not answer.");
        // What another holds is not to be given back: that saves those who lose a round trip.
        if (!isGranted)
            _locks.TryRemove(id, out _);
        return isGranted;
    }

    // Where a server does not answer, the lock expires.
    private async Task<RedisResult> ReleaseAsync(Script script, RedisValue id)
    {
        var isReleased = _locks.TryRemove(id, out _) && await RunAsync(script);
        return RedisResult.Create(isReleased);
    }

    private RedisResult Extend(Script script, RedisValue id)
    {
        // It was given back while the timer fired.
        if (!_locks.TryGetValue(id, out var extension))
            return RedisResult.Create(NotExtended);
        var hasFailed = extension.HasFailed;
        _ = ExtendAsync(script, extension);
        return RedisResult.Create(hasFailed ? NotExtended : Extended);
    }

    private async Task ExtendAsync(Script script, Extension extension) => extension.HasFailed = !await RunAsync(script);

    // The scripts answer 1 where they did what they are for, and 0 or -1 where the lock is another's or gone.
    private async Task<bool> RunAsync(Script script)
    {
        var reply = await Server.TryAsync(
            static (database, script) => database.ScriptEvaluateAsync(script.Text, script.Keys, script.Values, CommandFlags.DemandMaster),
            script,
            CancellationToken.None);
        return reply.TryGet(out var result) && (int)result == 1;
    }

    private sealed record Script(string Text, RedisKey[] Keys, RedisValue[] Values);

    /// <summary>How the last extension of a lock went that ended.</summary>
    private sealed class Extension
    {
        private volatile bool _hasFailed;

        public bool HasFailed
        {
            get => _hasFailed;
            set => _hasFailed = value;
        }
    }
}
