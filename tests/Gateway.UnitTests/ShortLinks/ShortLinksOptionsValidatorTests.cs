using Gateway.ShortLinks;

namespace Gateway.UnitTests.ShortLinks;

public sealed class ShortLinksOptionsValidatorTests
{
    [Theory]
    [InlineData("/s")]
    [InlineData("/go/to")]
    [InlineData("/~")]
    public void A_prefix_that_can_begin_a_path_is_taken(string prefix) => Assert.Empty(Validate(new ShortLinksOptions { Prefix = prefix }));

    [Theory]
    [InlineData("s")]
    [InlineData("/")]
    [InlineData("/s/")]
    [InlineData("//s")]
    [InlineData("/..")]
    [InlineData("/{x}")]
    [InlineData("/a b")]
    [InlineData("/s?a")]
    [InlineData("")]
    public void Any_other_prefix_is_refused(string prefix) =>
        Assert.StartsWith("ShortLinks:Prefix: ", Assert.Single(Validate(new ShortLinksOptions { Prefix = prefix })), StringComparison.Ordinal);

    [Fact]
    public void Every_error_is_named()
    {
        var errors = Validate(new ShortLinksOptions
        {
            Prefix = "",
            Hosts = { "go.example", "go.example:8443", "[::1]:80", "http://go.example", "*.example", "go.example:" },
            ReservedSlugs = { "brand", "a b" },
            AdditionalSchemes = { "myapp", "javascript", "a:b" },
            GeneratedLength = 3,
            FlushInterval = TimeSpan.Zero,
            PermanentMaxAge = TimeSpan.FromSeconds(-1),
            UnknownFor = TimeSpan.FromHours(1),
            MemoryLimit = 1,
            ExpiredTarget = "/expired",
            ExpiredPage = "expired.html",
            UnknownPerMinute = -1,
            PasswordAttempts = 0,
        });

        Assert.Equal(
            [
                "ShortLinks:Hosts:2", "ShortLinks:Hosts:3", "ShortLinks:Hosts:4", "ShortLinks:Hosts:5", "ShortLinks:ReservedSlugs:1", "ShortLinks:AdditionalSchemes:1", "ShortLinks:AdditionalSchemes:2",
                "ShortLinks:ExpiredTarget", "ShortLinks:ExpiredPage", "ShortLinks:UnknownPerMinute", "ShortLinks:PasswordAttempts",
                "ShortLinks:GeneratedLength", "ShortLinks:FlushInterval", "ShortLinks:PermanentMaxAge", "ShortLinks:UnknownFor", "ShortLinks:MemoryLimit",
            ],
            errors.Select(error => error.Split(": ")[0]));
    }

    private static List<string> Validate(ShortLinksOptions options) => [.. new ShortLinksOptionsValidator().Validate(null, options).Failures ?? []];
}
