using System.Collections.Frozen;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.RateLimiting;

/// <summary>A limit as requests use it.</summary>
internal sealed record RateLimit(
    string Name, long PermitLimit, TimeSpan Window, IReadOnlyList<IdentityPart> By, WhenRedisIsDown WhenRedisIsDown);

/// <summary>A policy as requests use it.</summary>
/// <param name="HasOneIdentity">Whether all limits count the same clients: then each client's counters have a slot of their own in a cluster.</param>
internal sealed record RateLimitPolicy(string Name, IReadOnlyList<RateLimit> Limits, bool HasOneIdentity);

/// <summary>The policies of the running configuration.</summary>
internal sealed class RateLimitPolicies : IDisposable
{
    private readonly IDisposable? _subscription;
    private FrozenDictionary<string, RateLimitPolicy> _policies;

    public RateLimitPolicies(IOptionsMonitor<RateLimitingOptions> options, BlockedClients blocked)
    {
        _policies = Build(options.CurrentValue);
        _subscription = options.OnChange(changed =>
        {
            _policies = Build(changed);
            // A limit may be higher now: nobody stays refused by the old one.
            blocked.Clear();
        });
    }

    /// <summary>The policy that an endpoint names by YARP's <c>RateLimiterPolicy</c> or <see cref="EnableRateLimitingAttribute"/>; null: it is not limited.</summary>
    /// <exception cref="InvalidOperationException">The endpoint names a policy that does not exist.</exception>
    public RateLimitPolicy? Find(Endpoint? endpoint)
    {
        if (endpoint?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName is not { } name
            || endpoint.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null)
            return null;
        return _policies.TryGetValue(name, out var policy)
            ? policy
            : throw new InvalidOperationException(
                $"The endpoint '{endpoint.DisplayName}' names the rate limit policy '{name}', which is not in {RateLimitingOptions.SectionName}:Policies.");
    }

    public void Dispose() => _subscription?.Dispose();

    private static FrozenDictionary<string, RateLimitPolicy> Build(RateLimitingOptions options) =>
        options.Policies.ToFrozenDictionary(policy => policy.Key, policy => Build(policy.Key, policy.Value), StringComparer.OrdinalIgnoreCase);

    private static RateLimitPolicy Build(string name, RateLimitPolicyOptions options)
    {
        var limits = options.Limits.Select(limit => new RateLimit(
            limit.Name, limit.PermitLimit, limit.Window, [.. limit.By.Select(Parse)], limit.WhenRedisIsDown)).ToArray();
        return new RateLimitPolicy(name, limits, limits.All(limit => limit.By.SequenceEqual(limits[0].By)));
    }

    private static IdentityPart Parse(string text) =>
        IdentityPart.TryParse(text, out var part) ? part : throw new ArgumentException($"'{text}' is no identity.", nameof(text));
}
