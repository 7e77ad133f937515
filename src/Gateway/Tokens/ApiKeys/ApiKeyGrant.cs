using Gateway.ChangeLog;

namespace Gateway.Tokens.ApiKeys;

/// <summary>
/// The right of a request with an API key: that of any token, and until a rotation leaves the key no time. Redis is asked
/// only when the change log says that something about the key has changed.
/// </summary>
internal sealed class ApiKeyGrant(
    SentApiKey key, RequestGrant asToken, TokenSchemeOptions options, ApiKeyStore store, SharedChangeLog log, TimeProvider time) : RequestGrant
{
    private SentApiKey _key = key;

    // Of what was read since the request began; the end that was known before is that of its claims, as of any token's.
    private long _end = long.MaxValue;

    public override async ValueTask<bool> IsWithdrawnAsync(CancellationToken cancellationToken)
    {
        if (HasEnded || await asToken.IsWithdrawnAsync(cancellationToken))
            return true;
        if (_key.Check(log) == ChangeVerdict.Current)
            return false;
        var stamp = log.Stamp;
        var reply = await store.ReadAsync(_key.Id, cancellationToken);
        // Without an answer it is asked again within a second.
        if (!reply.TryGet(out var stored))
            return false;
        _key = new SentApiKey(_key.Id, _key.Hash, stamp);
        if (stored?.Key.EndOf(_key.Hash) is not { } end)
            return true;
        // A rotation with an overlap leaves the key less time than it had.
        _end = end;
        return HasEnded;
    }

    private bool HasEnded => options.CloseAtExpiry && time.GetUtcNow().ToUnixTimeSeconds() >= _end;
}
