using Gateway.Caching;
using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching;

public sealed class HttpCacheOptionsValidatorTests
{
    [Fact]
    public void A_policy_that_uses_every_option_is_taken() => Assert.Empty(Validate(new HttpCachePolicyOptions
    {
        Ttl = TimeSpan.FromMinutes(5),
        QueryKeys = { Drop = { "utm_*", "*" }, Sort = true },
        VaryByHeader = { "X-Tenant" },
        VaryByCookie = { "theme" },
        VaryByClaim = { "sub", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name" },
        Authorization = AuthorizationHandling.Share,
        ClientDirectives = ClientDirectives.Collapse,
        Tags = { "pages" },
        StripTagField = true,
    }));

    [Fact]
    public void Every_error_is_named_with_its_path()
    {
        var errors = Validate(new HttpCachePolicyOptions
        {
            Ttl = TimeSpan.FromDays(366),
            DefaultTtl = TimeSpan.FromSeconds(-1),
            QueryKeys = { Keep = { "" }, Drop = { "ok", "a*b" } },
            VaryByHeader = { "X Tenant", "*:" },
            VaryByCookie = { "" },
            VaryByClaim = { "a b" },
            Authorization = (AuthorizationHandling)9,
            ClientDirectives = (ClientDirectives)9,
            TagField = "",
            StripTagField = true,
        });

        Assert.Equal(
            [
                "Ttl", "DefaultTtl", "DefaultTtl", "Authorization", "ClientDirectives", "QueryKeys", "QueryKeys:Keep:0", "QueryKeys:Drop:1",
                "VaryByHeader:0", "VaryByHeader:1", "VaryByCookie:0", "VaryByClaim:0", "StripTagField",
            ],
            errors.Select(error => error.Split(": ")[0]["OutputCache:Policies:p:".Length..]));
    }

    [Fact]
    public void Lists_are_bounded()
    {
        var options = new HttpCachePolicyOptions();
        for (var i = 0; i < 65; i++)
        {
            options.QueryKeys.Keep.Add($"k{i}");
            options.VaryByHeader.Add($"h{i}");
            options.Tags.Add($"t{i}");
        }

        Assert.Equal(3, Validate(options).Count);
    }

    private static List<string> Validate(HttpCachePolicyOptions policy)
    {
        var options = new HttpCacheOptions { Policies = { ["p"] = policy } };
        return [.. new HttpCacheOptionsValidator().Validate(null, options).Failures ?? []];
    }
}
