using Gateway.Tokens;

namespace Gateway.UnitTests.Tokens;

public sealed class TokensOptionsValidatorTests
{
    [Fact]
    public void A_scheme_with_issuer_audience_and_keys_is_enough()
    {
        var options = new TokensOptions();
        options.Schemes["shop"] = Valid();

        Assert.True(new TokensOptionsValidator().Validate(null, options).Succeeded);
    }

    [Fact]
    public void Every_error_is_listed_with_its_path()
    {
        var options = new TokensOptions { IdentityFieldPrefix = "X-Forwarded-" };
        options.Schemes["Anonymous"] = new TokenSchemeOptions
        {
            JwksUri = "file:///keys",
            Algorithms = { "HS256" },
            Types = { "" },
            RequiredScopes = { "a b" },
            ClockSkew = TimeSpan.FromHours(1),
            CacheDuration = TimeSpan.Zero,
            MaxLifetime = TimeSpan.FromDays(365),
            Forward = { new ForwardedClaimOptions { Claim = "sub", Field = "Host" }, new ForwardedClaimOptions { Field = "Host" } },
        };

        var failures = new TokensOptionsValidator().Validate(null, options).Failures!.ToList();

        string[] paths =
        [
            "Tokens:IdentityFieldPrefix", "Tokens:Schemes:Anonymous", "Tokens:Schemes:Anonymous:Issuer", "Tokens:Schemes:Anonymous:Audience",
            "Tokens:Schemes:Anonymous:JwksUri", "Tokens:Schemes:Anonymous:Algorithms:0", "Tokens:Schemes:Anonymous:Types:0",
            "Tokens:Schemes:Anonymous:RequiredScopes:0", "Tokens:Schemes:Anonymous:ClockSkew", "Tokens:Schemes:Anonymous:CacheDuration",
            "Tokens:Schemes:Anonymous:MaxLifetime", "Tokens:Schemes:Anonymous:Forward:0:Field", "Tokens:Schemes:Anonymous:Forward:1:Claim",
            "Tokens:Schemes:Anonymous:Forward:1:Field", "Tokens:Schemes:Anonymous:Forward",
        ];
        Assert.Equal(paths.Order(StringComparer.Ordinal), failures.Select(failure => failure[..failure.IndexOf(": ", StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("JwksUri", true)]
    [InlineData("Authority", true)]
    [InlineData("Introspection", true)]
    [InlineData("ApiKeys", true)]
    [InlineData("", false)]
    [InlineData("JwksUri ApiKeys", false)]
    [InlineData("JwksUri Authority", false)]
    [InlineData("JwksUri JwksFile", false)]
    [InlineData("Authority Introspection", false)]
    public void A_scheme_says_exactly_once_how_its_tokens_are_checked(string named, bool isValid)
    {
        var options = new TokensOptions();
        var scheme = new TokenSchemeOptions { Issuer = "https://issuer.example", Audience = "shop" };
        if (named.Contains("JwksUri", StringComparison.Ordinal))
            scheme.JwksUri = "https://issuer.example/jwks";
        if (named.Contains("Authority", StringComparison.Ordinal))
            scheme.Authority = "https://issuer.example";
        if (named.Contains("JwksFile", StringComparison.Ordinal))
            scheme.JwksFile = typeof(TokensOptions).Assembly.Location;
        if (named.Contains("Introspection", StringComparison.Ordinal))
            (scheme.Introspection.Endpoint, scheme.Introspection.ClientId, scheme.Introspection.ClientSecret) = ("https://issuer.example/introspect", "gateway", "secret");
        if (named.Contains("ApiKeys", StringComparison.Ordinal))
            (scheme.ApiKeys.Enabled, scheme.Issuer, scheme.Audience) = (true, "", "");
        options.Schemes["shop"] = scheme;

        var result = new TokensOptionsValidator().Validate(null, options);

        Assert.Equal(isValid, result.Succeeded);
        if (!isValid)
            Assert.StartsWith("Tokens:Schemes:shop: ", Assert.Single(result.Failures!), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_error_of_an_introspection_is_listed_and_the_secret_never()
    {
        var options = new TokensOptions();
        options.Schemes["shop"] = new TokenSchemeOptions
        {
            Introspection = { Endpoint = "/introspect", ClientSecret = "hush", Timeout = TimeSpan.FromMinutes(1), UseWhileUnavailable = TimeSpan.FromDays(2) },
        };

        var failures = new TokensOptionsValidator().Validate(null, options).Failures!.ToList();

        Assert.Equal(
            ["Endpoint", "ClientId", "Timeout", "UseWhileUnavailable"],
            failures.Select(failure => failure.Split(": ")[0]["Tokens:Schemes:shop:Introspection:".Length..]));
        Assert.DoesNotContain(failures, failure => failure.Contains("hush", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Host", "gwk")]
    [InlineData("X-Auth-Key", "gwk")]
    [InlineData("cookie", "gwk")]
    [InlineData("", "gwk")]
    [InlineData("X Key", "gwk")]
    [InlineData("X-Key", "GWK")]
    [InlineData("X-Key", "1wk")]
    [InlineData("X-Key", "g")]
    [InlineData("X-Key", "gw_k")]
    public void A_field_or_prefix_that_cannot_hold_keys_is_an_error(string field, string prefix)
    {
        var options = new TokensOptions();
        options.Schemes["partners"] = new TokenSchemeOptions { ApiKeys = { Enabled = true, Field = field, Prefix = prefix } };

        Assert.StartsWith("Tokens:Schemes:partners:ApiKeys:", Assert.Single(new TokensOptionsValidator().Validate(null, options).Failures!), StringComparison.Ordinal);
    }

    private static TokenSchemeOptions Valid() => new() { Issuer = "https://issuer.example", Audience = "shop", JwksUri = "https://issuer.example/jwks" };
}
