using System.Collections.Concurrent;
using Gateway.ChangeLog;
using Gateway.Tokens.ApiKeys;
using Gateway.Tokens.Introspection;
using Gateway.Tokens.Revocations;

namespace Gateway.Tokens;

/// <summary>What a scheme says of a token.</summary>
internal enum TokenVerdict
{
    /// <summary>It passes.</summary>
    Accepted,

    /// <summary>It does not, and never will.</summary>
    Refused,

    /// <summary>It cannot be checked: the keys, or an answer of the provider, cannot be had.</summary>
    Unavailable,

    /// <summary>Whether it was revoked cannot be known, and the scheme demands to know.</summary>
    RevocationUnknown,
}

/// <summary>A verdict, with the token where it passes and the reason where it is refused.</summary>
internal readonly record struct TokenResult(TokenVerdict Verdict, VerifiedToken? Token, TokenRefusal Refusal)
{
    public static TokenResult Unavailable => new(TokenVerdict.Unavailable, null, TokenRefusal.None);

    public static implicit operator TokenResult(TokenRefusal refusal) => new(TokenVerdict.Refused, null, refusal);
}

/// <summary>
/// Decides about a token: (1) it can be one at all; (2) the result is known here; (3) else one request of this process
/// finds it, as the scheme's kind does; (4) it was not revoked, which is asked on every use and of every result alike.
/// </summary>
internal sealed class TokenValidator(
    TokenCache cache, TokenVerifier verifier, IntrospectedTokens introspected, ApiKeyLookup apiKeys, RevocationList revocations, IssuerLeads leads,
    SharedChangeLog log, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Lazy<Task<TokenResult>>> _running = new(StringComparer.Ordinal);

    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; others that wait go on.</exception>
    public async ValueTask<TokenResult> ValidateAsync(TokenScheme scheme, string token, CancellationToken cancellationToken)
    {
        // 1.
        var malformed = CheckSyntax(scheme, token);
        if (malformed != TokenRefusal.None)
            return malformed;

        // 2.
        var hash = TokenHash.OfToken(scheme.Fingerprint, token);
        var known = cache.Find(hash);
        if (known is not null && IsUsable(scheme, known))
        {
            scheme.Counts.Lookup(TokenSource.Memory);
            return CheckRevoked(scheme, known);
        }

        var refusal = cache.FindRefusal(hash, scheme.Keys?.Current);
        if (refusal != TokenRefusal.None)
            return refusal;

        // 3.
        var running = _running.GetOrAdd(hash, static (hash, state) => new(() => state.self.ResolveAsync(hash, state.scheme, state.token, state.known)), (self: this, scheme, token, known));
        var result = await running.Value.WaitAsync(cancellationToken);
        return result.Token is { } found ? CheckRevoked(scheme, found) : result;
    }

    /// <summary>
    /// A token that this node knows, that passes and has the required scopes; null leaves everything to <see cref="ValidateAsync"/>. Its syntax
    /// need not be checked: only what passed that check is known, and none of the characters that a hash takes for
    /// others passes.
    /// </summary>
    public VerifiedToken? FindAccepted(TokenScheme scheme, ReadOnlySpan<char> token)
    {
        if (cache.Find(TokenHash.OfToken(scheme.Fingerprint, token)) is not { } known || !IsUsable(scheme, known))
            return null;
        var result = CheckRevoked(scheme, known);
        if (result.Verdict != TokenVerdict.Accepted || !HasScopes(scheme.Options, known))
            return null;
        scheme.Counts.Lookup(TokenSource.Memory);
        scheme.Counts.Request(result);
        return known;
    }

    private static TokenRefusal CheckSyntax(TokenScheme scheme, string token)
    {
        if (scheme.Kind != TokenKind.ApiKey)
            return TokenRules.CheckSyntax(scheme.Kind, token);
        return ApiKeyText.IdOf(token, scheme.Options.ApiKeys.Prefix) is null ? TokenRefusal.Malformed : TokenRefusal.None;
    }

    private static bool HasScopes(TokenSchemeOptions scheme, VerifiedToken token)
    {
        if (ReferenceEquals(token.ScopesSuffice, scheme))
            return true;
        if (!TokenPolicies.HasRequiredScopes(scheme, token.Principal))
            return false;
        token.ScopesSuffice = scheme;
        return true;
    }

    // 4.
    private TokenResult CheckRevoked(TokenScheme scheme, VerifiedToken token)
    {
        if (revocations.Covers(token))
            return TokenRefusal.Revoked;
        var mayBeUnknown = scheme.Options.WhenRevocationUnknown == WhenRevocationUnknown.Deny && !revocations.IsCurrent;
        return new TokenResult(mayBeUnknown ? TokenVerdict.RevocationUnknown : TokenVerdict.Accepted, token, TokenRefusal.None);
    }

    private async Task<TokenResult> ResolveAsync(string hash, TokenScheme scheme, string token, VerifiedToken? known)
    {
        var keysBefore = scheme.Keys?.Current;
        try
        {
            var result = scheme switch
            {
                { Keys: { } keys } => await ResolveSignedAsync(hash, scheme, keys, token),
                { Kind: TokenKind.Introspection } => await introspected.ResolveAsync(hash, scheme, token, known),
                _ => await apiKeys.ResolveAsync(scheme, token, known),
            };
            if (result.Token is { } found)
            {
                await leads.NoteAsync(scheme, found.IssuedAt);
                cache.Store(hash, found);
            }
            else if (result.Verdict == TokenVerdict.Refused)
            {
                cache.StoreRefusal(hash, scheme.Kind, result.Refusal, keysBefore);
            }

            return result;
        }
        finally
        {
            _running.TryRemove(hash, out _);
        }
    }

    private async Task<TokenResult> ResolveSignedAsync(string hash, TokenScheme scheme, SigningKeys keys, string token)
    {
        var reply = await cache.FindInRedisAsync(hash);
        if (reply.TryGet(out var stored) && stored is not null && TokenContent.Parse(stored) is { } known && new VerifiedToken(scheme, token, known) is var found && IsUsable(scheme, found))
        {
            scheme.Counts.Lookup(TokenSource.Redis);
            return new TokenResult(TokenVerdict.Accepted, found, TokenRefusal.None);
        }

        scheme.Counts.Lookup(TokenSource.Validation);
        var verification = await verifier.VerifyAsync(scheme, keys, token);
        if (verification.Content is not { } content)
            return verification.Refusal == TokenRefusal.None ? TokenResult.Unavailable : verification.Refusal;

        var verified = new VerifiedToken(scheme, token, content);
        await cache.StoreInRedisAsync(hash, verified);
        return new TokenResult(TokenVerdict.Accepted, verified, TokenRefusal.None);
    }

    // Without any keys of its own a node cannot say that the key is gone: it goes by the node that had them.
    private bool IsUsable(TokenScheme scheme, VerifiedToken token) =>
        time.GetUtcNow() < token.UsableUntil && token.Check(log) == ChangeVerdict.Current && (scheme.Keys?.Current is not { } keys || keys.Contains(token.Key));
}
