using System.Text.RegularExpressions;
using Gateway.Tokens.ApiKeys;

namespace Gateway.UnitTests.Tokens.ApiKeys;

public sealed partial class ApiKeyTextTests
{
    [Fact]
    public void A_key_can_be_found_by_a_pattern_and_names_its_id()
    {
        var id = ApiKeyText.NewId();
        var key = ApiKeyText.Create("gwk", id);

        Assert.Matches(Pattern(), key);
        Assert.Equal(id, ApiKeyText.IdOf(key, "gwk"));
        Assert.Null(ApiKeyText.IdOf(key, "gwx"));
        Assert.Null(ApiKeyText.IdOf(key, "gw"));
    }

    [Fact]
    public void No_two_keys_are_alike() =>
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => ApiKeyText.Create("gwk", "0123456789ab")).Distinct().Count());

    [Fact]
    public void Any_wrong_character_is_noticed()
    {
        var key = ApiKeyText.Create("gwk", ApiKeyText.NewId());
        for (var i = 0; i < key.Length; i++)
        {
            foreach (var wrong in "0zA_-")
            {
                if (key[i] != wrong)
                    Assert.Null(ApiKeyText.IdOf($"{key[..i]}{wrong}{key[(i + 1)..]}", "gwk"));
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("gwk_")]
    [InlineData("gwk_0123456789ab_")]
    [InlineData("gwk_0123456789ab_0123456789012345678901234567890123456789012000000")]
    [InlineData("ﬀﬀ_0123456789ab_0123456789012345678901234567890123456789012000000x")]
    public void What_looks_otherwise_is_no_key(string text) => Assert.Null(ApiKeyText.IdOf(text, "gwk"));

    [Fact]
    public void What_is_kept_of_a_key_tells_when_it_ends()
    {
        var first = new ApiKey("partners", "alice", ["read", "write"], "gold", null, 100, 1000, "a");
        var second = first.Rotate("b", 200, 50);
        var third = second.Rotate("c", 220, 5000);

        Assert.Equal(1000, first.EndOf("a"));
        Assert.Equal([250, 1000, null], new[] { second.EndOf("a"), second.EndOf("b"), second.EndOf("c") });
        Assert.Equal([null, 1000, 1000], new[] { third.EndOf("a"), third.EndOf("b"), third.EndOf("c") });
        Assert.Equal([null, 1000], new[] { first.Rotate("b", 200, 0).EndOf("a"), first.Rotate("b", 200, 0).EndOf("b") });
        Assert.Equal(second.ToText(), ApiKey.Parse(second.ToText())!.ToText());
        Assert.Equal(["sub=alice", "jti=x", "exp=500", "scope=read write", "plan=gold"], second.ClaimsFor("x", 500).Select(claim => $"{claim.Type}={claim.Value}"));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    public void What_is_no_entry_is_passed_over(string text) => Assert.Null(ApiKey.Parse(text));

    [GeneratedRegex("^gwk_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$")]
    private static partial Regex Pattern();
}
