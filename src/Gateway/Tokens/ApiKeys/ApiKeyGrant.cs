using Gateway.ChangeLog;

namespace Gateway.Tokens.ApiKeys;

/// <summary>
/// The right of a request with an API key: that of any token, and until a rotation leaves the key no time. Redis is asked
/// only when the change log says that something about the key has changed.
/// </summary>
internal sealed class ApiKeyGrant(SentApiKey key, RequestGrant asToken, ApiKeyStore store, SharedChangeLog log) : RequestGrant
{
    private SentApiKey _key = key;

    public override async ValueTask<bool> IsWithdrawnAsync(CancellationToken cancellationToken)
    {
        if (await asToken.IsWithdrawnAsync(cancellationToken))
            return true;
        if (_key.Check(log) == ChangeVerdict.Current)
            return false;
        var stamp = log.Stamp;
        var reply = await store.ReadAsync(_key.Id, cancellationToken);
        // Without an answer it is asked again within a second.
        if (!reply.TryGet(out var stored))
            return false;
        _key = new SentApiKey(_key.Id, _key.Hash, stamp);
        return stored?.Key.EndOf(_key.Hash) is null;
    }
}
