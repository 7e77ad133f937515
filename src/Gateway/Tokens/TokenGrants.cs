using Gateway.ChangeLog;
using Gateway.Tokens.ApiKeys;
using Gateway.Tokens.Revocations;

namespace Gateway.Tokens;

/// <summary>Has the responses of identified requests end, however long they go on, when the token loses its force.</summary>
internal sealed class TokenGrants(OpenRequests open, RevocationList revocations, ApiKeyStore apiKeys, SharedChangeLog log, TimeProvider time)
{
    public void Watch(HttpContext context, VerifiedToken token, TokenSchemeOptions scheme)
    {
        var grant = new TokenGrant(token, scheme, revocations, time);
        open.Watch(context, token.ApiKey is { } key ? new ApiKeyGrant(key, grant, scheme, apiKeys, log, time) : grant);
    }
}
