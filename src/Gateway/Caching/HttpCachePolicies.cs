using System.Collections.Frozen;
using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.Options;

namespace Gateway.Caching;

/// <summary>A policy as requests use it.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Options">Its options.</param>
/// <param name="Fingerprint">Part of every key: responses stored under other rules are not found.</param>
internal sealed record HttpCachePolicy(string Name, HttpCachePolicyOptions Options, string Fingerprint)
{
    /// <summary>What it says of stale responses.</summary>
    public StaleWindows Stale { get; } = new(
        (long)Options.StaleWhileRevalidate.TotalSeconds, (long)Options.StaleIfError.TotalSeconds, (long)Options.StaleIfUnreachable.TotalSeconds);
}

/// <summary>The policies of the running configuration.</summary>
internal sealed class HttpCachePolicies : IDisposable
{
    /// <summary>The policy that exists without configuration.</summary>
    public const string Origin = "origin";

    private readonly IDisposable? _subscription;
    private FrozenDictionary<string, HttpCachePolicy> _policies;

    public HttpCachePolicies(IOptionsMonitor<HttpCacheOptions> options)
    {
        _policies = Build(options.CurrentValue);
        _subscription = options.OnChange(changed => _policies = Build(changed));
    }

    /// <summary>The names that routes may use.</summary>
    public static IEnumerable<string> NamesIn(HttpCacheOptions options) => options.Policies.Keys.Append(Origin).Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The policy that an endpoint names: by YARP's <c>OutputCachePolicy</c>, or by ASP.NET Core's
    /// <see cref="OutputCacheAttribute"/>. Null: the endpoint is not cached.
    /// </summary>
    /// <exception cref="InvalidOperationException">The endpoint names a policy that does not exist.</exception>
    public HttpCachePolicy? Find(Endpoint? endpoint)
    {
        if (endpoint?.Metadata.GetMetadata<OutputCacheAttribute>() is not { NoStore: false } attribute)
            return null;
        var name = attribute.PolicyName ?? Origin;
        return _policies.TryGetValue(name, out var policy)
            ? policy
            : throw new InvalidOperationException(
                $"The endpoint '{endpoint.DisplayName}' names the output cache policy '{name}', which is not in {HttpCacheOptions.SectionName}:Policies.");
    }

    public void Dispose() => _subscription?.Dispose();

    private static FrozenDictionary<string, HttpCachePolicy> Build(HttpCacheOptions options) =>
        NamesIn(options)
            .Select(name => new HttpCachePolicy(name, options.Policies.TryGetValue(name, out var own) ? own : new(), ""))
            .Select(policy => policy with { Fingerprint = FingerprintOf(policy.Options) })
            .ToFrozenDictionary(policy => policy.Name, StringComparer.OrdinalIgnoreCase);

    // Only what decides how a response is stored: other edits must not empty the cache.
    private static string FingerprintOf(HttpCachePolicyOptions options) =>
        CacheKey.Hash($"{options.SetCookie}|{options.NormalizeNegotiation}|{options.TagField}|{string.Join(',', options.Tags)}")[..8];
}
