using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Gateway.Tokens;

/// <summary>
/// The names under which routes find schemes, each with its policy: authenticated by that scheme, with the scopes it
/// requires. A reload adds names before YARP's validator asks for them, and takes none away: routes of the running
/// configuration may use them still.
/// </summary>
internal sealed class TokenPolicies(TokenSchemes schemes)
{
    // RFC 8693 §4.2; some issuers write 'scp'.
    private static readonly string[] ScopeClaims = ["scope", "scp"];

    private readonly ConcurrentDictionary<string, (AuthenticationScheme Scheme, AuthorizationPolicy Policy)> _byName =
        new(StringComparer.OrdinalIgnoreCase);

    public void Add(string name) => _byName.TryAdd(name, (
        new AuthenticationScheme(name, displayName: null, typeof(TokenAuthenticationHandler)),
        new AuthorizationPolicyBuilder(name)
            .RequireAuthenticatedUser()
            .RequireAssertion(context => HasRequiredScopes(schemes.Find(name)?.Options, context.User))
            .Build()));

    public AuthenticationScheme? FindScheme(string name) => _byName.TryGetValue(name, out var found) ? found.Scheme : null;

    public AuthorizationPolicy? FindPolicy(string name) => _byName.TryGetValue(name, out var found) ? found.Policy : null;

    /// <summary>Whether an identity has every scope that the scheme requires.</summary>
    public static bool HasRequiredScopes(TokenSchemeOptions? scheme, ClaimsPrincipal user) =>
        scheme?.RequiredScopes is not { Count: > 0 } required || required.All(ScopesOf(user).Contains);

    private static HashSet<string> ScopesOf(ClaimsPrincipal user) =>
        [.. user.Claims.Where(claim => ScopeClaims.Contains(claim.Type)).SelectMany(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
}

/// <summary>
/// Lets ASP.NET Core find the schemes. They are not added to its own list, where a single one would become the default
/// and authenticate routes that name no policy.
/// </summary>
internal sealed class TokenSchemeProvider(IOptions<AuthenticationOptions> options, TokenPolicies policies) : AuthenticationSchemeProvider(options)
{
    public override Task<AuthenticationScheme?> GetSchemeAsync(string name) =>
        policies.FindScheme(name) is { } scheme ? Task.FromResult<AuthenticationScheme?>(scheme) : base.GetSchemeAsync(name);
}

/// <summary>Lets YARP and ASP.NET Core find the policies.</summary>
internal sealed class TokenPolicyProvider(IOptions<AuthorizationOptions> options, TokenPolicies policies) : DefaultAuthorizationPolicyProvider(options)
{
    // A name's policy never changes.
    public override bool AllowsCachingPolicies => true;

    public override Task<AuthorizationPolicy?> GetPolicyAsync(string policyName) =>
        policies.FindPolicy(policyName) is { } policy ? Task.FromResult<AuthorizationPolicy?>(policy) : base.GetPolicyAsync(policyName);
}
