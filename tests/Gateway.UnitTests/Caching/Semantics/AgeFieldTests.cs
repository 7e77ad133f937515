using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

/// <summary>RFC 9111 §5.1.</summary>
public sealed class AgeFieldTests
{
    [Theory]
    [InlineData(null, 0L)]
    [InlineData("30", 30L)]
    [InlineData("0030", 30L)]
    // The first member of a list counts.
    [InlineData("7200, 0", 7200L)]
    [InlineData("0,7200", 0L)]
    [InlineData("7200⏎0", 7200L)]
    [InlineData("0⏎7200", 0L)]
    // What is no non-negative integer is ignored.
    [InlineData("", 0L)]
    [InlineData("abc", 0L)]
    [InlineData("-7200", 0L)]
    [InlineData("7200.0", 0L)]
    [InlineData("7200;foo=bar", 0L)]
    [InlineData("abc, 7200", 0L)]
    // Too large is very old: §1.2.2.
    [InlineData("2147483647", 2147483647L)]
    [InlineData("2147483649", 2147483648L)]
    [InlineData("99999999999999999999999", 2147483648L)]
    public void The_age_is_read(string? field, long expected) => Assert.Equal(expected, AgeField.Parse(Fields.Lines(field)));
}
