using System.Security.Cryptography;
using System.Text;
using Gateway.ChangeLog;
using Gateway.Redis;
using Gateway.Sessions.Keys;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Sessions.Store;

/// <summary>
/// Sessions in Redis, shared by all nodes and held by none: each read asks Redis, so that what ended on one node has
/// ended on all. What a session holds is protected by DataProtection and bound to the session.
/// </summary>
internal sealed class SessionStore(
    RedisConnection redis, RedisKeys keys, KeyRepository protectionKeys, IDataProtectionProvider protection, SharedChangeLog log,
    IOptionsMonitor<SessionsOptions> options, SessionsMetrics metrics, ILogger<SessionStore> logger)
{
    /// <summary>The most that a session holds, in bytes.</summary>
    public const int MaxSize = 256 * 1024;

    private static readonly RedisScript CreateScript = RedisScript.Load("Sessions/Store/create.lua");
    private static readonly RedisScript ReadScript = RedisScript.Load("Sessions/Store/read.lua");
    private static readonly RedisScript UpdateScript = RedisScript.Load("Sessions/Store/update.lua");
    private static readonly RedisScript EndScript = RedisScript.Load("Sessions/Store/end.lua");
    private static readonly RedisScript ListScript = RedisScript.Load("Sessions/Store/list.lua");

    private readonly IDataProtector _protector = protection.CreateProtector("Gateway.Sessions.Store");

    /// <summary>Whether this node has the other nodes' keys. Without them a good cookie looks forged.</summary>
    public bool HasKeys => protectionKeys.IsJoined;

    /// <summary>Whether a call made now could succeed.</summary>
    public bool IsAvailable => HasKeys && redis.IsAvailable;

    /// <summary>Begins a session; of a subject's too many the oldest ends.</summary>
    /// <param name="session">Which.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="lifetime">How long it lasts unused, or, where it does not slide, at all.</param>
    /// <param name="slides">Whether use prolongs it.</param>
    /// <param name="cancellationToken">Ends the wait for Redis.</param>
    /// <exception cref="SessionStoreUnavailableException">Redis does not answer.</exception>
    public async ValueTask CreateAsync(SessionKey session, byte[] content, TimeSpan lifetime, bool slides, CancellationToken cancellationToken)
    {
        var store = options.CurrentValue.Store;
        var life = slides || lifetime > store.AbsoluteTimeout ? store.AbsoluteTimeout : lifetime;
        RedisValue[] arguments =
        [
            session.Hash, Protect(session, content), slides ? Math.Max(1, (long)lifetime.TotalMilliseconds) : 0, Math.Max(1, (long)life.TotalMilliseconds),
            store.MaxPerSubject,
        ];
        var ended = Texts(await RunAsync(CreateScript, KeysOf(session), arguments, cancellationToken));
        metrics.Stored("created");
        if (ended.Length == 0)
            return;
        await FreeAsync(session.Subject, ended, "over_limit", cancellationToken);
        await log.TryAppendAsync([EndedSessions.SelectorOf(session.Subject)], cancellationToken);
    }

    /// <summary>Reads a session, which counts as its use.</summary>
    /// <returns>Null when there is none, or it cannot be read; no answer when Redis gives none.</returns>
    public async ValueTask<RedisReply<StoredContent?>> ReadAsync(SessionKey session, CancellationToken cancellationToken)
    {
        var reply = HasKeys
            ? await redis.TryAsync(
                static (database, state) => ReadScript.EvaluateAsync(database, state.Keys, state.Arguments),
                (Keys: KeysOf(session), Arguments: new RedisValue[] { session.Hash }), cancellationToken)
            : default;
        if (!reply.TryGet(out var result))
        {
            metrics.Stored("unavailable");
            return default;
        }

        var content = result.IsNull ? null : Unprotect(session, (byte[])result[0]!);
        metrics.Stored(content is null ? "unknown" : "read");
        return new RedisReply<StoredContent?>(content is null
            ? null
            : new StoredContent(content, Milliseconds(result[1]), Milliseconds(result[2]), (long)result[3] == 1));
    }

    /// <summary>Replaces what a session holds. A session that has ended stays ended.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="SessionStoreUnavailableException">Redis does not answer.</exception>
    public async ValueTask<bool> UpdateAsync(SessionKey session, byte[] content, CancellationToken cancellationToken)
    {
        var updated = (long)await RunAsync(UpdateScript, KeysOf(session), [session.Hash, Protect(session, content)], cancellationToken) == 1;
        metrics.Stored(updated ? "changed" : "unknown");
        return updated;
    }

    /// <summary>Ends one of a subject's sessions, or all.</summary>
    /// <param name="subject">See <see cref="SessionId.SubjectOf"/>.</param>
    /// <param name="hash">See <see cref="SessionId.Hash"/>; null: all.</param>
    /// <param name="cancellationToken">Ends the wait for Redis.</param>
    /// <returns>How many there were, and whether the nodes that hold connections of them were told: if not, they are when Redis is back.</returns>
    /// <exception cref="SessionStoreUnavailableException">Redis does not answer: they may have ended or not.</exception>
    public async ValueTask<(int Count, bool IsTold)> EndAsync(string subject, string? hash, CancellationToken cancellationToken)
    {
        string[] ended;
        ChangeReceipt? receipt = null;
        try
        {
            ended = Texts(await RunAsync(EndScript, [keys.SessionsOfSubject(subject)], [hash ?? ""], cancellationToken));
        }
        finally
        {
            // Also where none was left or no answer came: an earlier call, or this one, may have ended some and told nobody.
            // It must not be lost: whoever has signed out has no session any more to sign out of again.
            var selector = EndedSessions.SelectorOf(subject);
            receipt = await log.AppendOrQueueAsync([selector], selector, cancellationToken);
        }

        if (ended.Length > 0)
            await FreeAsync(subject, ended, "ended", cancellationToken);
        return (ended.Length, receipt is not null);
    }

    /// <summary>Lists a subject's sessions, the oldest first.</summary>
    /// <exception cref="SessionStoreUnavailableException">Redis does not answer.</exception>
    public async ValueTask<IReadOnlyList<SubjectSession>> ListAsync(string subject, CancellationToken cancellationToken)
    {
        var listed = Texts(await RunAsync(ListScript, [keys.SessionsOfSubject(subject)], [], cancellationToken));
        var sessions = listed.Chunk(2).Select(pair => pair[0].Split(':') is [var created, var hash]
            ? new SubjectSession(hash, Time(created), Time(pair[1]))
            : null);
        return [.. sessions.OfType<SubjectSession>().OrderBy(session => session.Created)];
    }

    private static string[] Texts(RedisResult result) => [.. ((string?[]?)result ?? []).OfType<string>()];

    private static TimeSpan Milliseconds(RedisResult result) => TimeSpan.FromMilliseconds((long)result);

    private static DateTimeOffset Time(string milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(milliseconds, System.Globalization.CultureInfo.InvariantCulture));

    private RedisKey[] KeysOf(SessionKey session) => session.IsListed
        ? [keys.Session(session.Subject, session.Hash), keys.SessionsOfSubject(session.Subject)]
        : [keys.Session(session.Subject, session.Hash)];

    private async ValueTask<RedisResult> RunAsync(RedisScript script, RedisKey[] scriptKeys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var reply = await redis.TryAsync(
            static (database, state) => state.script.EvaluateAsync(database, state.scriptKeys, state.arguments), (script, scriptKeys, arguments), cancellationToken);
        if (reply.TryGet(out var result))
            return result;
        throw Unavailable();
    }

    private SessionStoreUnavailableException Unavailable()
    {
        metrics.Stored("unavailable");
        return new SessionStoreUnavailableException();
    }

    // They have ended already: what is left is to free their memory.
    private async ValueTask FreeAsync(string subject, string[] ended, string outcome, CancellationToken cancellationToken)
    {
        metrics.Stored(outcome, ended.Length);
        var records = Array.ConvertAll(ended, hash => keys.Session(subject, hash));
        await redis.TryAsync(static (database, records) => database.KeyDeleteAsync(records), records, cancellationToken);
    }

    private byte[] Protect(SessionKey session, byte[] content) => content.Length <= MaxSize
        ? _protector.Protect([.. Encoding.ASCII.GetBytes(session.Hash), .. content])
        : throw new InvalidOperationException($"A session holds at most {MaxSize} bytes; this one would hold {content.Length}.");

    // Bound to its session: whoever can write to Redis still cannot give one session the content of another.
    private byte[]? Unprotect(SessionKey session, byte[] value)
    {
        try
        {
            var bytes = _protector.Unprotect(value).AsSpan();
            if (bytes.StartsWith(Encoding.ASCII.GetBytes(session.Hash)))
                return bytes[session.Hash.Length..].ToArray();
        }
        catch (CryptographicException)
        {
            // Said below.
        }

        SessionsLog.SessionUnreadable(logger);
        return null;
    }
}

/// <summary>Where a session is in Redis.</summary>
/// <param name="Subject">See <see cref="SessionId.SubjectOf"/>.</param>
/// <param name="Hash">See <see cref="SessionId.Hash"/>.</param>
/// <param name="IsListed">Whether it is one of a subject's, so that it can be found and ended without its id.</param>
internal readonly record struct SessionKey(string Subject, string Hash, bool IsListed)
{
    public static SessionKey Of(SessionId id) => new(id.Subject, id.Hash, IsListed: true);

    /// <summary>A session that belongs to nobody, known by its key alone.</summary>
    public static SessionKey OfNobody(string key)
    {
        var hash = SessionId.HashOf(key);
        return new SessionKey(hash[..32], hash, IsListed: false);
    }
}

/// <summary>A session as Redis holds it.</summary>
/// <param name="Content">What it holds.</param>
/// <param name="SinceMoved">How long ago its window was moved.</param>
/// <param name="Left">How long it has left, unused.</param>
/// <param name="IsMoved">Whether this read moved the window: of all reads in a quarter of it, one.</param>
internal sealed record StoredContent(byte[] Content, TimeSpan SinceMoved, TimeSpan Left, bool IsMoved);
