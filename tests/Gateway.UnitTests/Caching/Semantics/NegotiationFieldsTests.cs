using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9110 §12.4.2, §12.5.3, §12.5.4.</summary>
public sealed class NegotiationFieldsTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("gzip, br", "br,gzip")]
    [InlineData("BR⏎gzip", "br,gzip")]
    [InlineData("de, en;q=0.50 , fr ; Q=1.000,de", "de,en;q=0.5,fr")]
    [InlineData("*;q=0, identity;q=0.001", "*;q=0,identity;q=0.001")]
    public void What_prefers_the_same_is_the_same(string? field, string expected) =>
        Assert.Equal(expected, NegotiationFields.Normalize(Fields.Lines(field)).ToString());

    [Theory]
    [InlineData("en;q=2")]
    [InlineData("en;q=")]
    [InlineData("en;level=1")]
    [InlineData(";q=1")]
    [InlineData("en us, de")]
    [InlineData("en;q=-1")]
    public void What_is_not_valid_stays_as_it_is(string field) =>
        Assert.Equal(field, NegotiationFields.Normalize(Fields.Lines(field)).ToString());

    [Fact]
    public void Other_preferences_are_not_the_same() =>
        Assert.NotEqual(NegotiationFields.Normalize("de, en;q=0.5"), NegotiationFields.Normalize("de;q=0.5, en"));
}
