using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;

namespace Gateway.UnitTests.Caching.Storage;

public sealed class VaryIndexTests
{
    private static readonly VaryRule Rule = VaryRule.Parse("a");

    [Fact]
    public void The_latest_variants_are_kept_and_the_oldest_makes_room()
    {
        var index = VaryIndex.Empty;
        for (var i = 0; i < VaryIndex.MaxVariants; i++)
        {
            index = index.With(Rule, $"{i}", out var none);
            Assert.Null(none);
        }

        index = index.With(Rule, "0", out var stillNone).With(Rule, "more", out var dropped);

        Assert.Null(stillNone);
        Assert.Equal("1", dropped);
        Assert.Equal(VaryIndex.MaxVariants, index.Variants.Count);
        Assert.Equal(["more", "0"], index.Variants.Take(2));
    }

    [Fact]
    public void The_latest_rules_are_kept()
    {
        var index = VaryIndex.Empty;
        for (var i = 0; i < 10; i++)
            index = index.With(VaryRule.Parse($"f{i}"), $"{i}", out _);
        Assert.Equal(["f9", "f8", "f7", "f6"], index.Rules.Select(rule => rule.Names[0]));
    }

    [Fact]
    public void A_variant_stored_again_leaves_the_index_as_it_is()
    {
        var index = VaryIndex.Empty.With(Rule, "1", out _);
        Assert.Same(index, index.With(Rule, "1", out _));
    }
}
