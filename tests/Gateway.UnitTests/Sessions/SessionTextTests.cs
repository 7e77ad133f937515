using Gateway.Sessions.Affinity;
using Gateway.Sessions.Drain;

namespace Gateway.UnitTests.Sessions;

public sealed class SessionTextTests
{
    [Theory]
    [InlineData("0 a", "a", 0)]
    [InlineData("12 a b", "a b", 12)]
    [InlineData("", "", 0)]
    [InlineData("a", "", 0)]
    [InlineData(" a", "", 0)]
    [InlineData("x a", "", 0)]
    [InlineData("99999999999999999999 a", "", 0)]
    public void A_record_is_read_or_is_none(string text, string destination, long moves) =>
        Assert.Equal(new SessionAffinity(destination, moves), SessionAffinity.Parse(text));

    [Theory]
    [InlineData("shop", "a")]
    [InlineData("sh/op", "a/b")]
    [InlineData("shöp", "%2F")]
    public void A_drained_destination_is_read_as_it_was_written(string cluster, string destination)
    {
        var drained = new DrainedDestination(cluster, destination);

        Assert.Equal(drained, DrainedDestination.Parse(drained.ToString()));
        Assert.Equal(drained.ToString(), new DrainedDestination(cluster.ToUpperInvariant(), destination).ToString());
        Assert.Equal(drained, new DrainedDestination(cluster.ToUpperInvariant(), destination));
        Assert.NotEqual(drained, new DrainedDestination(destination, cluster));
    }

    [Theory]
    [InlineData("Cookie", "Cookie", "")]
    [InlineData("cookie", "Cookie", "")]
    [InlineData("Header:X-Device", "Header", "X-Device")]
    [InlineData("query:a:b", "Query", "a:b")]
    [InlineData("Claim:http://schemas.example/sub", "Claim", "http://schemas.example/sub")]
    [InlineData("Cookie:x", null, "")]
    [InlineData("Header:", null, "")]
    [InlineData("Header", null, "")]
    [InlineData("1:x", null, "")]
    [InlineData("+1:x", null, "")]
    [InlineData("Header,Query:x", null, "")]
    [InlineData(" Header:x", null, "")]
    [InlineData("Body:x", null, "")]
    [InlineData("", null, "")]
    [InlineData(null, null, "")]
    public void A_key_source_is_read_or_refused(string? text, string? kind, string name)
    {
        Assert.Equal(kind is not null, AffinityKeySource.TryParse(text, out var source));
        if (kind is not null)
            Assert.Equal((kind, name), (source.Kind.ToString(), source.Name));
    }
}
