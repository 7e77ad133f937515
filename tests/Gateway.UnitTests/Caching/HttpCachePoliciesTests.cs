using Gateway.Caching;
using Gateway.Caching.Semantics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.Options;

namespace Gateway.UnitTests.Caching;

public sealed class HttpCachePoliciesTests
{
    public static TheoryData<string, Action<HttpCachePolicyOptions>, bool> Edits => new()
    {
        // What decides what is stored, or who finds it.
        { "Ttl", options => options.Ttl = TimeSpan.FromSeconds(1), true },
        { "DefaultTtl", options => options.DefaultTtl = TimeSpan.FromSeconds(1), true },
        { "Keep", options => options.QueryKeys.Keep.Add("a"), true },
        { "Drop", options => options.QueryKeys.Drop.Add("a"), true },
        { "Sort", options => options.QueryKeys.Sort = true, true },
        { "VaryByHeader", options => options.VaryByHeader.Add("a"), true },
        { "VaryByCookie", options => options.VaryByCookie.Add("a"), true },
        { "VaryByClaim", options => options.VaryByClaim.Add("a"), true },
        { "Authorization", options => options.Authorization = AuthorizationHandling.Share, true },
        { "SetCookie", options => options.SetCookie = SetCookieHandling.Store, true },
        { "NormalizeNegotiation", options => options.NormalizeNegotiation = true, true },
        { "Tags", options => options.Tags.Add("a"), true },
        { "TagField", options => options.TagField = "Cache-Tag", true },
        // What does not must not empty the cache.
        { "ClientDirectives", options => options.ClientDirectives = ClientDirectives.Collapse, false },
        { "StripTagField", options => options.StripTagField = true, false },
        { "StaleWhileRevalidate", options => options.StaleWhileRevalidate = TimeSpan.FromSeconds(1), false },
        { "MaxBodySize", options => options.MaxBodySize = 1, false },
        { "Collapse", options => options.Collapse = CollapseScope.Off, false },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public void An_edit_changes_the_keys_only_where_it_must(string option, Action<HttpCachePolicyOptions> edit, bool changesKeys)
    {
        var edited = new HttpCachePolicyOptions();
        edit(edited);
        Assert.True(changesKeys == (Fingerprint(new HttpCachePolicyOptions()) != Fingerprint(edited)), option);
    }

    [Fact]
    public void Lists_that_differ_only_in_their_division_have_different_fingerprints()
    {
        var one = new HttpCachePolicyOptions { VaryByHeader = { "a", "b" } };
        var other = new HttpCachePolicyOptions { VaryByHeader = { "a" }, VaryByCookie = { "b" } };
        Assert.NotEqual(Fingerprint(one), Fingerprint(other));
    }

    [Fact]
    public void An_endpoint_is_cached_by_the_policy_that_it_names_unless_it_says_no_store()
    {
        using var policies = new HttpCachePolicies(new FixedOptions(new HttpCacheOptions { Policies = { ["p"] = new() } }));

        Assert.Null(policies.Find(null));
        Assert.Null(policies.Find(EndpointWith()));
        Assert.Null(policies.Find(EndpointWith(new OutputCacheAttribute { PolicyName = "p", NoStore = true })));
        Assert.Equal("p", policies.Find(EndpointWith(new OutputCacheAttribute { PolicyName = "P" }))!.Name);
        Assert.Equal(HttpCachePolicies.Origin, policies.Find(EndpointWith(new OutputCacheAttribute()))!.Name);
        Assert.Throws<InvalidOperationException>(() => policies.Find(EndpointWith(new OutputCacheAttribute { PolicyName = "q" })));
    }

    private static string Fingerprint(HttpCachePolicyOptions policy)
    {
        using var policies = new HttpCachePolicies(new FixedOptions(new HttpCacheOptions { Policies = { ["p"] = policy } }));
        return policies.Find(EndpointWith(new OutputCacheAttribute { PolicyName = "p" }))!.Fingerprint;
    }

    private static Endpoint EndpointWith(params object[] metadata) => new(null, new EndpointMetadataCollection(metadata), "route");

    private sealed class FixedOptions(HttpCacheOptions options) : IOptionsMonitor<HttpCacheOptions>
    {
        public HttpCacheOptions CurrentValue => options;

        public HttpCacheOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<HttpCacheOptions, string?> listener) => null;
    }
}
