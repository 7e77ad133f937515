using System.Collections.Frozen;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Gateway.RateLimiting;

/// <summary>The policies of the running configuration.</summary>
internal sealed class RateLimitPolicies : IDisposable
{
    private readonly IDisposable? _subscription;
    private readonly RateLimitingMetrics _metrics;
    private FrozenDictionary<string, RateLimitPolicy> _policies;

    public RateLimitPolicies(IOptionsMonitor<RateLimitingOptions> options, RateLimitingMetrics metrics)
    {
        _metrics = metrics;
        _policies = Build(options.CurrentValue);
        _subscription = options.OnChange(changed => _policies = Build(changed));
    }

    public IEnumerable<string> Names => _policies.Keys;

    /// <summary>The policy that an endpoint names by YARP's <c>RateLimiterPolicy</c> or <see cref="EnableRateLimitingAttribute"/>; null: it is not limited.</summary>
    /// <exception cref="InvalidOperationException">The endpoint names a policy that does not exist.</exception>
    public RateLimitPolicy? Find(Endpoint? endpoint)
    {
        if (endpoint?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName is not { } name
            || endpoint.Metadata.GetMetadata<DisableRateLimitingAttribute>() is not null)
            return null;
        return Find(name) ?? throw new InvalidOperationException(
            $"The endpoint '{endpoint.DisplayName}' names the rate limit policy '{name}', which is not in {RateLimitingOptions.SectionName}:Policies.");
    }

    public RateLimitPolicy? Find(string name) => _policies.GetValueOrDefault(name);

    public void Dispose() => _subscription?.Dispose();

    private FrozenDictionary<string, RateLimitPolicy> Build(RateLimitingOptions options) => options.Policies.ToFrozenDictionary(
        policy => policy.Key, policy => RateLimitPolicy.Of(policy.Key, policy.Value, _metrics), StringComparer.OrdinalIgnoreCase);
}
