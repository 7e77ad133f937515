using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Tokens;

/// <summary>
/// The short way of a request with a token that this node knows, on a route that asks for a token of one scheme and
/// nothing else: ASP.NET Core's authentication and authorization would come to the same result for several times the
/// cost of finding the token. Whatever is in doubt takes the long way, and only there anybody is refused.
/// </summary>
internal sealed class KnownTokens(
    TokenSchemes schemes, TokenPolicies policies, TokenValidator validator, TokenGrants grants)
{
    // What an endpoint demands never changes; endpoints of an earlier configuration are collected with it.
    private readonly ConditionalWeakTable<Endpoint, Demand> _demands = [];

    /// <summary>Makes the token's owner the request's user.</summary>
    /// <returns>False when the long way must decide; the request is as it was.</returns>
    public bool TryIdentify(HttpContext context)
    {
        if (context.GetEndpoint() is not { } endpoint || DemandOf(endpoint).Scheme is not { } name || schemes.Find(name) is not { } scheme)
            return false;
        if (!SentToken.TryRead(scheme, context.Request, out var sent) || sent.Length > TokenRules.MaxLength)
            return false;
        if (validator.FindAccepted(scheme, sent) is not { } token)
            return false;
        grants.Watch(context, token, scheme.Options);
        context.User = token.Principal;
        return true;
    }

    private Demand DemandOf(Endpoint endpoint) =>
        _demands.TryGetValue(endpoint, out var demand) ? demand : _demands.GetValue(endpoint, Find);

    private Demand Find(Endpoint endpoint)
    {
        var metadata = endpoint.Metadata;
        var isAlone = metadata.GetMetadata<IAllowAnonymous>() is null && metadata.GetMetadata<AuthorizationPolicy>() is null
            && metadata.GetMetadata<IAuthorizationRequirementData>() is null;
        return isAlone && metadata.GetOrderedMetadata<IAuthorizeData>() is [{ Policy: { } policy, Roles: null or "", AuthenticationSchemes: null or "" }]
            ? new Demand(policies.FindScheme(policy)?.Name)
            : new Demand(null);
    }

    /// <summary>What an endpoint demands.</summary>
    /// <param name="Scheme">The scheme whose tokens alone open it; null where it is more, or something else.</param>
    private sealed record Demand(string? Scheme);
}
