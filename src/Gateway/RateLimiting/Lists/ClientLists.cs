using System.Collections.Frozen;
using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.RateLimiting.Lists;

/// <summary>What came of a change to the lists.</summary>
internal enum ListChange
{
    Done,
    Full,
    Missing,
    Unavailable,
}

/// <summary>
/// The allow and deny lists: in Redis, and as this node's copy, which requests read. Without Redis the copy holds; a
/// Redis that lost them gets them back from it.
/// </summary>
internal sealed class ClientLists(
    RedisConnection redis, RedisKeys keys, RedisClock clock, SharedChangeLog log, BlockedClients blocked, ILogger<ClientLists> logger)
{
    /// <summary>The kind of change that tells nodes to read the lists anew.</summary>
    public const string ChangeKind = "limit-lists";

    public const int MaxEntries = 10_000;

    private static readonly RedisScript Script = RedisScript.Load("RateLimiting/Lists/lists.lua");
    private static readonly Selector Changed = Selector.Of(ChangeKind, "");

    private readonly Lock _taking = new();
    private volatile Copy _copy = Copy.Of(0, []);

    /// <summary>The entries that have not ended.</summary>
    public IEnumerable<ListEntry> Entries => _copy.Entries.Values.Where(IsInForce);

    /// <summary>On which list of its policy a request's client is; null: on none.</summary>
    public ListKind? Find(RateLimitPolicy policy, HttpContext context)
    {
        var copy = _copy;
        if (copy.Parts.Count == 0 || !copy.Parts.TryGetValue(policy.Name, out var parts))
            return null;

        ListKind? found = null;
        foreach (var part in parts)
        {
            if (part.Source == IdentitySource.Header && context.Request.Headers[part.Name] is { Count: > 1 } lines)
            {
                // The origin may take any of them: one denied line is enough, and none allows.
                if (Array.Exists((string?[])lines!, line => KindOf(policy, copy, part, line) == ListKind.Deny))
                    return ListKind.Deny;
                continue;
            }

            var kind = KindOf(policy, copy, part, part.Read(context));
            if (kind == ListKind.Deny)
                return ListKind.Deny;
            found = kind ?? found;
        }

        return found;
    }

    /// <summary>Adds an entry, or replaces the one about the same client; in force on this node when this returns, on others within moments.</summary>
    public ValueTask<ListChange> AddAsync(ListEntry entry, CancellationToken cancellationToken) =>
        ChangeAsync("add", ListChange.Full, [entry.Id, entry.ToText()], cancellationToken);

    public ValueTask<ListChange> RemoveAsync(string id, CancellationToken cancellationToken) =>
        ChangeAsync("remove", ListChange.Missing, [id], cancellationToken);

    /// <summary>Reads the lists anew, and puts back what Redis lost.</summary>
    public async ValueTask SynchronizeAsync(CancellationToken cancellationToken)
    {
        var copy = _copy;
        if (await RunAsync("read", [], cancellationToken) is not { } read || read.Version >= copy.Version)
            return;
        RedisValue[] entries = [.. copy.Entries.Values.Where(IsInForce).SelectMany(entry => new RedisValue[] { entry.Id, entry.ToText() })];
        if (await RunAsync("restore", entries, cancellationToken) is { IsDone: true })
            RateLimitingLog.ListsRestored(logger, entries.Length / 2);
    }

    private ListKind? KindOf(RateLimitPolicy policy, Copy copy, IdentityPart part, string? value) =>
        value is not null && copy.Entries.TryGetValue(ListEntry.IdOf(policy.Name, part, value), out var entry) && IsInForce(entry) ? entry.List : null;

    private async ValueTask<ListChange> ChangeAsync(string action, ListChange otherwise, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        if (await RunAsync(action, arguments, cancellationToken) is not { } result)
            return ListChange.Unavailable;
        if (result.Version < _copy.Version)
        {
            // Redis lost the lists: what is known here goes back first, and the change is made to that.
            await SynchronizeAsync(cancellationToken);
            if (await RunAsync(action, arguments, cancellationToken) is not { } again)
                return ListChange.Unavailable;
            result = again;
        }

        if (!result.IsDone)
            return otherwise;
        return await log.TryAppendAsync([Changed], cancellationToken) is null ? ListChange.Unavailable : ListChange.Done;
    }

    private async ValueTask<(long Version, bool IsDone)?> RunAsync(string action, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        RedisValue[] all = [_copy.Version, action, MaxEntries, .. arguments];
        var reply = await redis.TryAsync(database => Script.EvaluateAsync(database, [keys.RateLimitLists], all), cancellationToken);
        if (!reply.TryGet(out var result))
            return null;
        var answer = (RedisValue[])result!;
        Take(answer);
        return ((long)answer[0], (long)answer[1] == 1);
    }

    private void Take(RedisValue[] answer)
    {
        var version = (long)answer[0];
        var entries = new List<ListEntry>();
        for (var i = 2; i + 1 < answer.Length; i += 2)
        {
            if (ListEntry.Parse(answer[i].ToString(), answer[i + 1].ToString()) is { } entry)
                entries.Add(entry);
            else
                RateLimitingLog.EntryUnreadable(logger, answer[i].ToString());
        }

        lock (_taking)
        {
            // Of two answers that cross, the newer holds.
            if (version <= _copy.Version)
                return;
            _copy = Copy.Of(version, entries);
        }

        blocked.Clear();
        RateLimitingLog.ListsChanged(logger, entries.Count);
    }

    private bool IsInForce(ListEntry entry) => entry.EndsAt > clock.Now;

    /// <param name="Parts">By which parts of a request each policy's entries are found.</param>
    private sealed record Copy(long Version, FrozenDictionary<string, ListEntry> Entries, FrozenDictionary<string, IdentityPart[]> Parts)
    {
        public static Copy Of(long version, IReadOnlyCollection<ListEntry> entries) => new(
            version,
            entries.ToFrozenDictionary(entry => entry.Id, StringComparer.Ordinal),
            entries.GroupBy(entry => entry.Policy, StringComparer.OrdinalIgnoreCase)
                .ToFrozenDictionary(policy => policy.Key, policy => policy.Select(entry => entry.By).Distinct().ToArray(), StringComparer.OrdinalIgnoreCase));
    }
}
