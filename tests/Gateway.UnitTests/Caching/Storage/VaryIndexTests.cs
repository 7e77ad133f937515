using Gateway.Caching.Keys;
using Gateway.Caching.Semantics;
using Gateway.Caching.Storage;
using Gateway.UnitTests.Caching.Semantics;
using Microsoft.AspNetCore.Http;

namespace Gateway.UnitTests.Caching.Storage;

public sealed class VaryIndexTests
{
    private const string Primary = "primary";
    private static readonly VaryRule Rule = VaryRule.Parse("a");

    [Fact]
    public void The_latest_variants_are_kept_and_the_oldest_makes_room()
    {
        var index = VaryIndex.Empty;
        for (var i = 0; i < VaryIndex.MaxVariants; i++)
            index = index.With(Rule, $"{i}", null);
        Assert.Equal(VaryIndex.MaxVariants, index.Variants.Length);

        index = index.With(Rule, "0", null).With(Rule, "more", null);

        Assert.False(index.Has("1"));
        Assert.Equal(VaryIndex.MaxVariants, index.Variants.Length);
        Assert.Equal(["more", "0"], index.Variants.Take(2).Select(variant => variant.Suffix));
    }

    [Fact]
    public void The_latest_rules_are_kept()
    {
        var index = VaryIndex.Empty;
        for (var i = 0; i < 10; i++)
            index = index.With(VaryRule.Parse($"f{i}"), $"{i}", null);
        Assert.Equal(["f9", "f8", "f7", "f6"], index.Rules.Select(rule => rule.Names[0]));
    }

    [Fact]
    public void A_variant_stored_again_leaves_the_index_as_it_is()
    {
        var index = VaryIndex.Empty.With(Rule, "1", null);
        Assert.Same(index, index.With(Rule, "1", null));
    }

    [Fact]
    public void Of_several_that_match_the_most_recent_is_found()
    {
        var fields = new HeaderDictionary { ["A"] = "1", ["B"] = "2" };
        var (older, newer) = (Stored(), Stored() with { ResponseTime = Fields.Now.AddSeconds(1) });
        var index = VaryIndex.Empty
            .With(VaryRule.Parse("b"), CacheKey.VariantSuffix(VaryRule.Parse("b"), fields), newer)
            .With(Rule, CacheKey.VariantSuffix(Rule, fields), older);

        Assert.Same(newer, Find(index, fields));
        Assert.Same(older, Find(index, new HeaderDictionary { ["A"] = "1", ["B"] = "other" }));
        Assert.Null(Find(index, new HeaderDictionary { ["A"] = "other", ["B"] = "other" }));
    }

    [Fact]
    public void A_response_is_replaced_only_while_it_is_the_one_stored()
    {
        var (old, fresh) = (Stored(), Stored());
        var index = VaryIndex.Empty.With(Rule, "1", old);

        Assert.Same(fresh, index.Replace(old, fresh).Variants[0].Response);
        Assert.Null(index.Replace(old, null).Variants[0].Response);
        Assert.Same(index, index.Replace(fresh, null));
    }

    [Fact]
    public void What_comes_from_Redis_keeps_the_responses_in_memory()
    {
        var (one, two) = (Stored(), Stored());
        var known = VaryIndex.Empty.With(Rule, "here and there", one).With(VaryRule.Parse("b"), "here", two);
        var joined = VaryIndex.Empty.With(Rule, "here and there", null).With(Rule, "there", null).Join(known);

        Assert.Equal([("there", null), ("here and there", one), ("here", two)], joined.Variants.Select(variant => (variant.Suffix, variant.Response)));
        Assert.Equal(["a", "b"], joined.Rules.Select(rule => rule.Names[0]));
    }

    [Fact]
    public void Without_room_the_oldest_responses_go_and_stay_known()
    {
        var (old, fresh) = (Stored(), Stored());
        var index = VaryIndex.Empty.With(Rule, "old", old).With(Rule, "fresh", fresh);

        var smaller = index.Within(index.Size - 1);

        Assert.Equal([("fresh", fresh), ("old", null)], smaller.Variants.Select(variant => (variant.Suffix, variant.Response)));
        Assert.Equal(index.Size - old.Size, smaller.Size);
        Assert.Same(index, index.Within(index.Size));
        Assert.All(index.Within(0).Variants, variant => Assert.Null(variant.Response));
    }

    private static StoredResponse Stored() => Fields.Stored("max-age=60", 60);

    private static StoredResponse? Find(VaryIndex index, HeaderDictionary fields)
    {
        var key = new KeyWriter(stackalloc char[CacheKey.UsualLength]);
        key.Append(Primary);
        var found = index.Find(ref key, fields);
        Assert.Equal(Primary, key.Written.ToString());
        key.Dispose();
        return found;
    }
}
