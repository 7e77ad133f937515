using System.Security.Cryptography;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.Tokens.Introspection;

/// <summary>
/// Whose turn it is to ask about a token, among all nodes: whoever takes its lock in Redis; the others wait for the
/// result. It spares the provider work and decides nothing about correctness: without Redis, or with the lock lost,
/// nodes ask for themselves.
/// </summary>
internal sealed class IntrospectionTurns(RedisConnection redis, RedisKeys keys, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LastWait = TimeSpan.FromMilliseconds(160);
    private static readonly RedisScript EnterScript = RedisScript.Load("Tokens/Introspection/enter.lua");
    private static readonly RedisScript LeaveScript = RedisScript.Load("Tokens/Introspection/leave.lua");

    /// <summary>Waits for the turn, or for the result of whoever has it.</summary>
    /// <param name="hash">What the result is kept under.</param>
    /// <param name="seen">A result of no use any more, if there is one.</param>
    /// <param name="limit">How long a turn lasts at most, and so how long to wait for one.</param>
    public async Task<IntrospectionTurn> EnterAsync(string hash, byte[]? seen, TimeSpan limit)
    {
        var owner = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        RedisKey[] scriptKeys = [keys.VerifiedToken(hash), keys.IntrospectionLock(hash)];
        RedisValue[] arguments = [owner, (long)limit.TotalMilliseconds, seen ?? RedisValue.EmptyString];
        var started = time.GetTimestamp();
        for (var wait = FirstWait; ; wait = wait < LastWait ? wait * 2 : LastWait)
        {
            var reply = await redis.TryAsync(database => EnterScript.EvaluateAsync(database, scriptKeys, arguments), CancellationToken.None);
            if (!reply.TryGet(out var result))
                return new IntrospectionTurn(owner, null);
            if ((int)result[0] == 2)
                return new IntrospectionTurn(owner, (byte[]?)result[1]);
            if ((int)result[0] == 1 || time.GetElapsedTime(started) > limit)
                return new IntrospectionTurn(owner, null);
            await Task.Delay(wait, time);
        }
    }

    /// <summary>Ends a turn: nodes that wait find the result, or take the next turn.</summary>
    /// <param name="hash">What the result is kept under.</param>
    /// <param name="turn">The turn.</param>
    /// <param name="result">What to keep.</param>
    /// <param name="isRefused">Whether the token was refused: then an earlier result is kept no longer.</param>
    public async Task LeaveAsync(string hash, IntrospectionTurn turn, VerifiedToken? result, bool isRefused)
    {
        RedisKey[] scriptKeys = [keys.VerifiedToken(hash), keys.IntrospectionLock(hash)];
        var left = (long)((result?.KeptUntil - time.GetUtcNow())?.TotalMilliseconds ?? 0);
        RedisValue[] arguments = [turn.Owner, left > 0 ? result!.Serialize() : RedisValue.EmptyString, left, isRefused];
        await redis.TryAsync(database => LeaveScript.EvaluateAsync(database, scriptKeys, arguments), CancellationToken.None);
    }
}

/// <summary>A turn, or what another node found meanwhile.</summary>
/// <param name="Owner">Whose turn it is.</param>
/// <param name="Found">The other node's result; null: it is this node that asks.</param>
internal readonly record struct IntrospectionTurn(string Owner, byte[]? Found);
