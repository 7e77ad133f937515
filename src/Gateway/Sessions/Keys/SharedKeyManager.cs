using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Gateway.Sessions.Keys;

/// <summary>
/// The framework's key manager, whose keys other nodes can add to: <see cref="Expire"/> makes the ring be built anew,
/// which the framework's own does for keys made in its process only, and otherwise once a day.
/// </summary>
internal sealed class SharedKeyManager(XmlKeyManager keys) : IKeyManager, IDisposable
{
    private CancellationTokenSource _expiration = new();

    public IKey CreateNewKey(DateTimeOffset activationDate, DateTimeOffset expirationDate)
    {
        var key = keys.CreateNewKey(activationDate, expirationDate);
        Expire();
        return key;
    }

    public IReadOnlyCollection<IKey> GetAllKeys() => keys.GetAllKeys();

    public CancellationToken GetCacheExpirationToken() => Volatile.Read(ref _expiration).Token;

    public void RevokeAllKeys(DateTimeOffset revocationDate, string? reason = null)
    {
        keys.RevokeAllKeys(revocationDate, reason);
        Expire();
    }

    public void RevokeKey(Guid keyId, string? reason = null)
    {
        keys.RevokeKey(keyId, reason);
        Expire();
    }

    /// <summary>Makes the key ring be built anew.</summary>
    public void Expire() => Interlocked.Exchange(ref _expiration, new CancellationTokenSource()).Cancel();

    public void Dispose() => _expiration.Dispose();
}
