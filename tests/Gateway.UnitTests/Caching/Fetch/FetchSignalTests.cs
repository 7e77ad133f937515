using Gateway.Caching.Fetch;
using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Fetch;

public sealed class FetchSignalTests
{
    [Fact]
    public void What_one_node_writes_another_reads()
    {
        FetchSignal[] signals =
        [
            new(FetchOutcome.Shareable), new(FetchOutcome.NotShareable), new(FetchOutcome.Failed),
            new(FetchOutcome.Shareable, VaryRule.FromNames(["accept", "accept-language"]), "0123abcd"),
        ];

        foreach (var signal in signals)
        {
            Assert.True(FetchSignal.TryParse(signal.ToString(), out var read));
            Assert.Equal(signal, read);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("17")]
    [InlineData(":abc:accept")]
    public void What_is_no_signal_is_none(string text) => Assert.False(FetchSignal.TryParse(text, out _));

    [Theory]
    [InlineData("0:abc")]
    [InlineData("0::accept")]
    [InlineData("0:abc:")]
    public void A_variant_said_by_half_is_not_said(string text)
    {
        Assert.True(FetchSignal.TryParse(text, out var signal));
        Assert.Equal(new FetchSignal(FetchOutcome.Shareable), signal);
    }
}
