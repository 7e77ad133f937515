using Gateway.ChangeLog;

namespace Gateway.Tokens.ApiKeys;

/// <summary>
/// Finds out about a key that this node knows nothing usable of: in Redis, or, while that is away, by what it knew last,
/// unless it knows that this has changed.
/// </summary>
internal sealed class ApiKeyLookup(ApiKeyStore store, SharedChangeLog log, TimeProvider time)
{
    // A key without an end is looked up again after this time at the latest, and so forgotten when nobody uses it.
    private static readonly TimeSpan LongestStay = TimeSpan.FromDays(1);

    /// <param name="scheme">A scheme with keys of the gateway's own.</param>
    /// <param name="text">A key whose form is right.</param>
    /// <param name="last">What this node knew last; null: nothing.</param>
    public async Task<TokenResult> ResolveAsync(TokenScheme scheme, string text, VerifiedToken? last)
    {
        scheme.Counts.Lookup(TokenSource.Redis);
        // The stamp is from before the read: a change during it makes the result unusable.
        var stamp = log.Stamp;
        var id = ApiKeyText.IdOf(text, scheme.Options.ApiKeys.Prefix)!;
        var hash = ApiKeyText.Hash(text);
        var reply = await store.ReadAsync(id, CancellationToken.None);
        if (!reply.TryGet(out var stored))
            return GoOn(last);
        if (stored is null || !stored.Key.Scheme.Equals(scheme.Name, StringComparison.OrdinalIgnoreCase) || stored.Key.EndOf(hash) is not { } end)
            return TokenRefusal.UnknownToken;

        var now = time.GetUtcNow();
        if (end <= now.ToUnixTimeSeconds())
            return TokenRefusal.Expired;
        var content = new TokenContent("", stored.Key.Created, Until(now + scheme.Options.CacheDuration), Until(now + LongestStay), stored.Key.ClaimsFor(id, end));
        return new TokenResult(TokenVerdict.Accepted, VerifiedToken.OfApiKey(scheme, new SentApiKey(id, hash, stamp), content), TokenRefusal.None);

        long Until(DateTimeOffset limit) => Math.Min(end * 1000, limit.ToUnixTimeMilliseconds());
    }

    private TokenResult GoOn(VerifiedToken? last) =>
        last is not null && time.GetUtcNow() < last.KeptUntil && last.Check(log) != ChangeVerdict.Changed
            ? new TokenResult(TokenVerdict.Accepted, last, TokenRefusal.None)
            : TokenResult.Unavailable;
}
