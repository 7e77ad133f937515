using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §4.1, RFC 9110 §12.5.5.</summary>
public sealed class VaryRuleTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("Foo", "foo")]
    [InlineData("Foo, bar ,,FOO", "bar foo")]
    [InlineData("b⏎A", "a b")]
    [InlineData("*", "*")]
    [InlineData(", *", "*")]
    [InlineData("foo, *", "*")]
    [InlineData("foo⏎*", "*")]
    // What is no name may have been meant for one.
    [InlineData("foo bar", "*")]
    [InlineData("foo; bar", "*")]
    [InlineData("\"*\"", "*")]
    [InlineData("foo, b\u00a0r", "*")]
    public void The_names_are_those_of_all_lines(string? field, string expected)
    {
        var rule = VaryRule.Parse(Fields.Lines(field));
        Assert.Equal(expected, string.Join(' ', rule.Names));
        Assert.Equal(expected == "*", rule.IsAny);
    }

    [Theory]
    [InlineData("foo", "1,2", " 1 ,\t2 ")]
    [InlineData("foo", "1, 2", "1⏎2")]
    [InlineData("accept", "1,2", ",1,,2,")]
    [InlineData("cookie", "a=1; b=2", "a=1⏎b=2")]
    [InlineData("accept-encoding", "gzip, br", "GZIP,BR")]
    [InlineData("accept-language", "en, de", "eN , De")]
    [InlineData("user-agent", "x", " x ")]
    public void Values_that_mean_the_same_are_the_same(string name, string one, string other) =>
        Assert.Equal(Normal(name, Fields.Lines(one)), Normal(name, Fields.Lines(other)));

    [Theory]
    [InlineData("foo", "1", "2")]
    [InlineData("foo", "a", "A")]
    [InlineData("foo", "1,2", "2,1")]
    [InlineData("foo", "a b", "a,b")]
    // Of a field that is not known to be a list, an origin may make something else.
    [InlineData("foo", "a", "a,")]
    [InlineData("foo", "a", ",a")]
    [InlineData("foo", "a,b", "a,,b")]
    [InlineData("cookie", "a=1,b=2", "a=1⏎b=2")]
    [InlineData("foo", "a  b", "a b")]
    [InlineData("foo", "", null)]
    [InlineData("foo", "\"a, b\"", "\"a,b\"")]
    [InlineData("foo", "\"\\\", b\"", "\"\\\",b\"")]
    [InlineData("accept-language", "en, de", "de, en")]
    [InlineData("cookie", "a=1, 2", "a=1,2")]
    [InlineData("user-agent", "x (a, b)", "x (a,b)")]
    public void Values_that_may_mean_something_else_are_not(string name, string? one, string? other) =>
        Assert.NotEqual(Normal(name, Fields.Lines(one)), Normal(name, Fields.Lines(other)));

    [Fact]
    public void A_value_longer_than_the_buffer_is_compared_whole()
    {
        var value = string.Join(", ", Enumerable.Repeat("a", 1000));
        Assert.Equal(value.Replace(" ", "", StringComparison.Ordinal), VaryRule.Normalize("foo", value, new char[16]).ToString());
    }

    // An absent field is its caller's to tell from an empty one.
    private static string? Normal(string name, Microsoft.Extensions.Primitives.StringValues value) =>
        value.Count == 0 ? null : VaryRule.Normalize(name, value, new char[64]).ToString();

    [Theory]
    [InlineData(null, "gzip", "accept-encoding")]
    [InlineData(null, "", "")]
    [InlineData(null, null, "")]
    [InlineData("", "gzip", "accept-encoding")]
    [InlineData("Accept", "gzip", "accept")]
    public void A_coding_selects_where_Vary_says_nothing(string? vary, string? coding, string expected) =>
        Assert.Equal(expected, string.Join(',', VaryRule.Of(Fields.Lines(vary), Fields.Lines(coding)).Names));
}
