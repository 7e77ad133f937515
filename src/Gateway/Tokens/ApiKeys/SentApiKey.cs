using Gateway.ChangeLog;

namespace Gateway.Tokens.ApiKeys;

/// <summary>A key that a request brought, without the key.</summary>
/// <param name="id">Its id.</param>
/// <param name="hash">See <see cref="ApiKeyText.Hash"/>.</param>
/// <param name="stamp">How much of the change log was applied before what is known of it was read.</param>
internal sealed class SentApiKey(string id, string hash, ChangeStamp stamp)
{
    private readonly Selector[] _selectors = [ApiKeyStore.SelectorOf(id)];

    public string Id => id;

    public string Hash => hash;

    /// <summary>Whether what is kept under its id may have changed since it was read.</summary>
    public ChangeVerdict Check(SharedChangeLog log) => log.Check(stamp, _selectors);
}
