using Gateway.ChangeLog;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.Tokens.Revocations;

/// <summary>What became of a revocation.</summary>
internal enum RevocationOutcome
{
    /// <summary>It is kept and spread.</summary>
    Written,

    /// <summary>Redis did not answer: it may be kept or not.</summary>
    Unavailable,

    /// <summary>As many as can be kept are kept.</summary>
    Full,
}

/// <summary>
/// The revocations of all nodes. Redis keeps them, in the slot of the change log: what loses the one loses the other,
/// and the log notices. The change log spreads them, each as a selector that says all there is to it.
/// </summary>
internal sealed class RevocationStore(RedisConnection redis, RedisKeys keys, RevocationList list, SharedChangeLog log)
{
    /// <summary>How many Redis keeps.</summary>
    public const int MaxRevocations = 100_000;

    /// <summary>How many one call writes.</summary>
    public const int MaxBatch = 500;

    private const string SelectorKind = "revoked";
    private const int PageSize = 1000;
    private static readonly RedisScript RevokeScript = RedisScript.Load("Tokens/Revocations/revoke.lua");

    /// <summary>Keeps revocations first and spreads them then: a node that reads all of them misses none that is being spread.</summary>
    /// <param name="revocations">At most <see cref="MaxBatch"/>.</param>
    /// <param name="cancellationToken">Ends the wait for Redis.</param>
    public async ValueTask<(RevocationOutcome Outcome, ChangeReceipt Receipt)> AddAsync(
        IReadOnlyList<Revocation> revocations, CancellationToken cancellationToken)
    {
        var arguments = new RedisValue[1 + (3 * revocations.Count)];
        arguments[0] = MaxRevocations;
        for (var i = 0; i < revocations.Count; i++)
        {
            arguments[1 + (3 * i)] = revocations[i].Id;
            arguments[2 + (3 * i)] = revocations[i].IssuedBefore;
            arguments[3 + (3 * i)] = revocations[i].Ends;
        }

        RedisKey[] scriptKeys = [keys.Revocations, keys.RevocationEnds];
        var reply = await redis.TryAsync(database => RevokeScript.EvaluateAsync(database, scriptKeys, arguments), cancellationToken);
        if (!reply.TryGet(out var kept))
            return (RevocationOutcome.Unavailable, default);
        if ((long)kept == 0)
            return (RevocationOutcome.Full, default);

        foreach (var revocation in revocations)
            list.Add(revocation);
        var selectors = revocations.Select(revocation => Selector.Of(SelectorKind, revocation.ToString())).ToArray();
        return await log.TryAppendAsync(selectors, cancellationToken) is { } receipt
            ? (RevocationOutcome.Written, receipt)
            : (RevocationOutcome.Unavailable, default);
    }

    /// <summary>Takes over what the change log says of revocations.</summary>
    public void Apply(IReadOnlyList<Change> changes)
    {
        foreach (var change in changes)
        {
            if (change.Selector.TryGetValue(SelectorKind, out var text) && Revocation.TryParse(text, out var revocation))
                list.Add(revocation);
        }
    }

    /// <summary>Reads all that Redis keeps, in pages, so that no other call waits long.</summary>
    /// <returns>Null when Redis did not answer.</returns>
    public async ValueTask<Dictionary<string, Revocation>?> ReadAllAsync(CancellationToken cancellationToken)
    {
        var all = new Dictionary<string, Revocation>(StringComparer.Ordinal);
        var cursor = "0";
        do
        {
            object[] arguments = [keys.Revocations, cursor, "COUNT", PageSize];
            var reply = await redis.TryAsync(
                static (database, arguments) => database.ExecuteAsync("HSCAN", arguments), arguments, cancellationToken);
            if (!reply.TryGet(out var page))
                return null;
            cursor = (string)page[0]!;
            for (var i = 0; i + 1 < page[1].Length; i += 2)
            {
                if (Revocation.TryParse($"{page[1][i]}:{page[1][i + 1]}", out var revocation))
                    all[revocation.Id] = revocation;
            }
        }
        while (cursor != "0");
        return all;
    }
}
