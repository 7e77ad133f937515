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

    private static TokenSchemeOptions Valid() => new() { Issuer = "https://issuer.example", Audience = "shop", JwksUri = "https://issuer.example/jwks" };
}
