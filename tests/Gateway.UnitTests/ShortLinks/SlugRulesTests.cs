using Gateway.ShortLinks;

namespace Gateway.UnitTests.ShortLinks;

public sealed class SlugRulesTests
{
    [Theory]
    [InlineData(true, "Oak", "Oak")]
    [InlineData(false, "Oak", "oak")]
    public void Upper_and_lower_case_differ_as_configured(bool caseSensitive, string text, string kept)
    {
        Assert.True(SlugRules.TryRead(text, new ShortLinksOptions { CaseSensitive = caseSensitive }, out var slug));
        Assert.Equal(kept, slug);
    }

    [Fact]
    public void A_slug_has_1_to_64_characters()
    {
        Assert.False(SlugRules.IsWellFormed(""));
        Assert.True(SlugRules.IsWellFormed(new string('a', SlugRules.MaxLength)));
        Assert.False(SlugRules.IsWellFormed(new string('a', SlugRules.MaxLength + 1)));
    }

    [Fact]
    public void Letters_that_only_become_ASCII_in_lower_case_are_refused() =>
        Assert.False(SlugRules.TryRead("\u212aey", new ShortLinksOptions { CaseSensitive = false }, out _));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Generated_slugs_are_well_formed_differ_and_have_no_look_alikes(bool caseSensitive)
    {
        var options = new ShortLinksOptions { CaseSensitive = caseSensitive, GeneratedLength = 10 };

        var slugs = Enumerable.Range(0, 1000).Select(_ => SlugRules.Generate(options)).ToList();

        Assert.Equal(slugs.Count, slugs.Distinct(StringComparer.Ordinal).Count());
        Assert.All(slugs, slug =>
        {
            Assert.True(SlugRules.TryRead(slug, options, out var kept) && kept == slug && slug.Length == 10);
            Assert.DoesNotContain(slug, character => "01OIl".Contains(character, StringComparison.Ordinal));
        });
    }
}
