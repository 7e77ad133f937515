using System.Security.Cryptography;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.ChangeLog;

/// <summary>
/// The one log by which nodes learn of each other's changes: purges, invalidations, revocations, edits. Writing
/// numbers a change and spreads it; reading is the <see cref="ChangeLogPoller"/>'s work; asking whether something
/// stored is still current is a comparison in memory. Without a Redis to share, the log is this node's own.
/// </summary>
internal sealed class SharedChangeLog(
    RedisConnection redis, RedisKeys keys, AppliedChanges applied, ChangeLease lease, LogContinuity continuity, NodeIdentity node, TimeProvider time,
    ILogger<SharedChangeLog> logger)
{
    /// <summary>How many changes one call writes.</summary>
    public const int MaxBatch = 1000;

    private const int MaxSelectors = 100_000;
    private const int MaxRecords = 10_000;
    private static readonly TimeSpan WaitInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(5);
    private static readonly RedisScript AppendScript = RedisScript.Load("ChangeLog/append.lua");
    private static readonly RedisScript NodesScript = RedisScript.Load("ChangeLog/nodes.lua");

    /// <summary>The stamp for a fetch, a revalidation or a validation that begins now.</summary>
    public ChangeStamp Stamp => applied.Stamp;

    /// <summary>See <see cref="AppliedChanges.Version"/>.</summary>
    public long Version => applied.Version;

    /// <summary>Whether this node knows every change older than the lease: its last poll succeeded lately.</summary>
    public bool HasLease => IsAlone || lease.IsHeld;

    /// <summary>For how long changes may have been missed; zero while the lease is held.</summary>
    public TimeSpan UnknownFor => IsAlone ? TimeSpan.Zero : lease.LostFor;

    /// <summary>Whether there is no Redis, and so no other node.</summary>
    public bool IsAlone => !redis.IsConfigured;

    /// <summary>Raised after changes were read from the log, in its order, on the poller's thread: handlers are quick and do not throw.</summary>
    public event Action<IReadOnlyList<Change>>? Applied;

    /// <summary>Raised when the log turned out to be another one: drop what cannot be checked; write back what only nodes remember.</summary>
    public event Action? EpochChanged;

    /// <inheritdoc cref="AppliedChanges.Check"/>
    public ChangeVerdict Check(in ChangeStamp stamp, ReadOnlySpan<Selector> selectors) => applied.Check(stamp, selectors);

    /// <inheritdoc cref="AppliedChanges.LatestOf"/>
    public long LatestOf(ReadOnlySpan<Selector> selectors) => applied.LatestOf(selectors);

    /// <summary>Writes changes (at most <see cref="MaxBatch"/>), in force on this node when this returns.</summary>
    /// <returns>Where they stand in the log; null when Redis did not answer: they may or may not be written.</returns>
    public async ValueTask<ChangeReceipt?> TryAppendAsync(IReadOnlyList<Selector> selectors, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfZero(selectors.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(selectors.Count, MaxBatch);
        if (IsAlone)
        {
            var last = applied.AppendAlone(selectors, MaxSelectors);
            return new ChangeReceipt(applied.Position.Epoch, last - selectors.Count + 1, last, "");
        }

        var arguments = new RedisValue[4 + (2 * selectors.Count)];
        arguments[0] = NewEpoch(time);
        arguments[1] = keys.ChangeLogChannel.ToString();
        arguments[2] = MaxSelectors;
        arguments[3] = MaxRecords;
        for (var i = 0; i < selectors.Count; i++)
        {
            arguments[4 + (2 * i)] = NewRecordId();
            arguments[5 + (2 * i)] = selectors[i].Text;
        }

        var before = applied.Position;
        RedisKey[] scriptKeys = [keys.ChangeLogMeta, keys.ChangeLogSelectors, keys.ChangeLogRecords];
        var reply = await redis.TryAsync(database => AppendScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        if (!reply.TryGet(out var result))
            return null;

        var receipt = new ChangeReceipt((long)result[0], (long)result[1], (long)result[2], (string)arguments[^2]!);
        applied.ApplyOwn([.. selectors.Select((selector, i) => new Change(selector, receipt.FirstNumber + i))], before, receipt.Epoch);
        return receipt;
    }

    /// <summary>
    /// Writes changes that must not be lost. Redis away: they are in force on this node at once, wait, and are written
    /// before this node trusts stored responses of others again.
    /// </summary>
    /// <param name="selectors">At most <see cref="MaxBatch"/> changes.</param>
    /// <param name="overflow">What to change instead when more than <see cref="AppliedChanges.MaxPending"/> wait.</param>
    /// <param name="cancellationToken">Ends the wait for Redis; the changes then wait too.</param>
    /// <returns>Where they stand in the log; null while they wait.</returns>
    public async ValueTask<ChangeReceipt?> AppendOrQueueAsync(IReadOnlyList<Selector> selectors, Selector overflow, CancellationToken cancellationToken)
    {
        ChangeReceipt? receipt = null;
        try
        {
            receipt = await TryAppendAsync(selectors, cancellationToken);
            return receipt;
        }
        finally
        {
            if (receipt is null)
                Queue(selectors, overflow);
        }
    }

    /// <summary>Waits until every node with a lease has applied a change, and the leases of silent nodes have run out.</summary>
    /// <returns>
    /// Which nodes applied it and which are silent; nodes that did neither within 5 s are <see cref="ChangeSpread.Behind"/>.
    /// Null: Redis did not answer, lost the change, or cannot be trusted to know all nodes.
    /// </returns>
    public async Task<ChangeSpread?> WaitAsync(ChangeReceipt receipt, CancellationToken cancellationToken)
    {
        if (IsAlone)
            return new ChangeSpread([node.Id], [], []);
        var started = time.GetTimestamp();
        while (true)
        {
            // A log that lost the change gives its number to another: nodes that have applied that number prove nothing.
            if (await ReadNodesAsync(receipt, cancellationToken) is not { HasChange: true } nodes)
                return null;
            redis.NoticePrimaries();
            var spread = ChangeSpread.Of(receipt, nodes);
            // This node's own entry proves that Redis has what nodes told it since this node looked for interruptions.
            if (spread.Behind.Count == 0 && spread.Applied.Contains(node.Id) && continuity.OutlastsLeases)
                return spread;
            if (time.GetElapsedTime(started) > WaitLimit)
                return spread.Behind.Count > 0 ? spread : null;
            await Task.Delay(WaitInterval, time, cancellationToken);
        }
    }

    /// <summary>The nodes that polled within the last minute; null when Redis did not answer.</summary>
    public ValueTask<KnownNodes?> ReadNodesAsync(CancellationToken cancellationToken) => ReadNodesAsync(default, cancellationToken);

    // Rises with time, so that an epoch which comes back with an old snapshot is known by being lower. Exact in Lua's numbers.
    internal static long NewEpoch(TimeProvider time) => (time.GetUtcNow().ToUnixTimeMilliseconds() * 1000) + RandomNumberGenerator.GetInt32(1000);

    internal void RaiseApplied(IReadOnlyList<Change> changes) => Applied?.Invoke(changes);

    internal void RaiseEpochChanged()
    {
        continuity.Interrupt();
        EpochChanged?.Invoke();
    }

    private async ValueTask<KnownNodes?> ReadNodesAsync(ChangeReceipt receipt, CancellationToken cancellationToken)
    {
        RedisKey[] scriptKeys = [keys.ChangeLogMeta, keys.Nodes, keys.NodesApplied, keys.ChangeLogRecords];
        RedisValue[] arguments = [receipt.Epoch, receipt.Number, receipt.RecordId ?? ""];
        var reply = await redis.TryAsync(database => NodesScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        return reply.TryGet(out var result) ? KnownNodes.Parse(result) : null;
    }

    private static string NewRecordId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    private void Queue(IReadOnlyList<Selector> selectors, Selector overflow)
    {
        if (applied.PendingCount >= AppliedChanges.MaxPending)
            ChangeLogLog.PendingOverflow(logger, overflow.Text);
        foreach (var selector in selectors)
            applied.AddPending(selector, overflow);
    }
}

/// <summary>Where a change stands in the log.</summary>
/// <param name="Epoch">The epoch it was written in.</param>
/// <param name="FirstNumber">The first's number of several.</param>
/// <param name="Number">Its number, which is the last one's of several.</param>
/// <param name="RecordId">The id of its record: proof that the log still has it. Empty where no log is shared.</param>
internal readonly record struct ChangeReceipt(long Epoch, long FirstNumber, long Number, string RecordId);
