using Gateway.RateLimiting;
using Microsoft.Extensions.Primitives;

namespace Gateway.UnitTests.RateLimiting;

public sealed class RequestCostTests
{
    [Theory]
    [InlineData("1", 1)]
    [InlineData("25", 25)]
    [InlineData("1000000000", 1_000_000_000)]
    public void A_cost_is_a_whole_number(string text, long cost)
    {
        Assert.True(RequestCost.TryRead(text, out var read));
        Assert.Equal(cost, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1.5")]
    [InlineData("1e3")]
    [InlineData("1000000001")]
    [InlineData("99999999999999999999")]
    [InlineData("many")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1, 2")]
    [InlineData("1;2")]
    [InlineData("0x10")]
    [InlineData("\u0663")]
    public void Anything_else_is_none(string text) => Assert.False(RequestCost.TryRead(text, out _));

    [Fact]
    public void Two_fields_are_none() => Assert.False(RequestCost.TryRead(new StringValues(["1", "2"]), out _));
}
