namespace Gateway.Tokens.Introspection;

/// <summary>
/// Finds out about an opaque token that this node knows nothing usable of: (1) another node's result; (2) the turn among
/// nodes, or the result of whoever had it; (3) the provider; (4) where that does not answer, the last result goes on.
/// </summary>
internal sealed class IntrospectedTokens(TokenCache cache, IntrospectionTurns turns, IntrospectionClient client, TimeProvider time)
{
    // A provider that is away is asked again about a token no sooner.
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    // The lock must outlast the call that it stands for.
    private static readonly TimeSpan TurnMargin = TimeSpan.FromSeconds(1);

    /// <param name="hash">What results are kept under.</param>
    /// <param name="scheme">A scheme with introspection.</param>
    /// <param name="token">The token.</param>
    /// <param name="last">This node's last result, which is used up; null: none.</param>
    public async Task<TokenResult> ResolveAsync(string hash, TokenScheme scheme, string token, VerifiedToken? last)
    {
        // 1.
        var isRedisThere = (await cache.FindInRedisAsync(hash)).TryGet(out var stored);
        var known = Read(scheme, token, stored);
        if (IsUsable(known))
            return Accept(scheme, known!, TokenSource.Redis);
        // What Redis has lost may have been refused on another node.
        var usedUp = isRedisThere ? known : last;
        if (client.HasFailedLately(scheme) && Renew(usedUp) is { } renewed)
            return renewed;

        // 2.
        var turn = await turns.EnterAsync(hash, stored, scheme.Options.Introspection.Timeout + TurnMargin);
        if (turn.Found is not null && Read(scheme, token, turn.Found) is { } found && IsUsable(found))
            return Accept(scheme, found, TokenSource.Redis);

        // 3.
        scheme.Counts.Lookup(TokenSource.Introspection);
        var answer = await client.AskAsync(scheme, token);
        var verified = answer.Content is { } content ? new VerifiedToken(scheme, token, content) : null;
        await turns.LeaveAsync(hash, turn, verified, isRefused: answer.Refusal != TokenRefusal.None);
        if (verified is not null)
            return new TokenResult(TokenVerdict.Accepted, verified, TokenRefusal.None);
        if (answer.Refusal != TokenRefusal.None)
            return answer.Refusal;

        // 4.
        return Renew(usedUp) ?? TokenResult.Unavailable;
    }

    private static TokenResult Accept(TokenScheme scheme, VerifiedToken token, TokenSource source)
    {
        scheme.Counts.Lookup(source);
        return new TokenResult(TokenVerdict.Accepted, token, TokenRefusal.None);
    }

    private TokenResult? Renew(VerifiedToken? token)
    {
        var now = time.GetUtcNow();
        return token is not null && now < token.KeptUntil
            ? new TokenResult(TokenVerdict.Accepted, token.Renew(now + AskAgainAfter), TokenRefusal.None)
            : null;
    }

    private bool IsUsable(VerifiedToken? token) => token is not null && time.GetUtcNow() < token.UsableUntil;

    private static VerifiedToken? Read(TokenScheme scheme, string token, byte[]? stored) =>
        stored is not null && TokenContent.Parse(stored) is { } content ? new VerifiedToken(scheme, token, content) : null;
}
