using System.Collections.Frozen;
using System.Text.Json;
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

    /// <summary>What it says of storing.</summary>
    public StoragePolicy Storage { get; } = new(
        Options.SetCookie, Options.Authorization, new PolicyLifetime((long?)Options.Ttl?.TotalSeconds, (long?)Options.DefaultTtl?.TotalSeconds));

    /// <summary>Which query keys count; null: all.</summary>
    public QueryRule? Query { get; } = QueryRule.Of(Options.QueryKeys);

    /// <summary>By what it keeps responses apart; null: by nothing of its own.</summary>
    public ExtraVary? Vary { get; } = ExtraVary.Of(Options);

    /// <summary>Takes from a request that the cache answers what does not count: neither the key nor the origin knows it then.</summary>
    public void ReduceQuery(HttpRequest request)
    {
        if (Query is { } query && request.QueryString.HasValue)
            request.QueryString = new QueryString(query.Select(request.QueryString.Value!));
    }

    /// <summary>A canonical URL as responses of the policy are stored under it.</summary>
    public string Reduced(string url) => Query?.SelectOfUrl(url) ?? url;
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

    /// <summary>A canonical URL in each form under which a policy stores its responses: query keys may not count for it.</summary>
    public IEnumerable<string> StoredUrls(string url) => _policies.Values.Select(policy => policy.Reduced(url)).Append(url).Distinct(StringComparer.Ordinal);

    public void Dispose() => _subscription?.Dispose();

    private static FrozenDictionary<string, HttpCachePolicy> Build(HttpCacheOptions options) =>
        NamesIn(options)
            .Select(name => new HttpCachePolicy(name, options.Policies.TryGetValue(name, out var own) ? own : new(), ""))
            .Select(policy => policy with { Fingerprint = FingerprintOf(policy.Options) })
            .ToFrozenDictionary(policy => policy.Name, StringComparer.OrdinalIgnoreCase);

    // Only what decides how a response is stored: other edits must not empty the cache.
    private static string FingerprintOf(HttpCachePolicyOptions options) =>
        CacheKey.Hash(JsonSerializer.Serialize(new object?[]
        {
            options.SetCookie, options.NormalizeNegotiation, options.TagField, options.Tags, options.Ttl, options.DefaultTtl,
            options.QueryKeys, options.VaryByHeader, options.VaryByCookie, options.VaryByClaim, options.Authorization,
        }))[..8];
}
