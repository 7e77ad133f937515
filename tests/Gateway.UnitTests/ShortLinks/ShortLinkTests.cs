using Gateway.ShortLinks;

namespace Gateway.UnitTests.ShortLinks;

public sealed class ShortLinkTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(301, null, null, "max-age=3600")]
    [InlineData(308, 60.0, null, "max-age=60")]
    [InlineData(301, 7200.0, null, "max-age=3600")]
    [InlineData(301, 0.5, null, "no-store")]
    [InlineData(301, null, 5, "no-store")]
    [InlineData(302, null, null, "no-store")]
    [InlineData(307, null, null, "no-store")]
    public void Only_a_permanent_redirect_without_maximum_may_be_kept_and_not_beyond_its_end(int status, double? secondsLeft, int? maxVisits, string expected)
    {
        var link = Link(status, null, secondsLeft is { } left ? Now.AddSeconds(left) : null, maxVisits);

        Assert.Equal(expected, link.CacheControl(Now, TimeSpan.FromHours(1)));
    }

    [Fact]
    public void A_link_is_valid_from_its_start_until_before_its_end()
    {
        var link = Link(302, Now, Now.AddSeconds(10), null);

        Assert.Equal(LinkState.NotYet, link.StateAt(Now.AddMilliseconds(-1)));
        Assert.Equal(LinkState.Valid, link.StateAt(Now));
        Assert.Equal(LinkState.Valid, link.StateAt(Now.AddSeconds(10).AddMilliseconds(-1)));
        Assert.Equal(LinkState.Expired, link.StateAt(Now.AddSeconds(10)));
    }

    [Fact]
    public void What_Redis_holds_is_read_as_it_was_written()
    {
        var definition = new LinkDefinition(new Uri("https://shop.example/a?b=%41#c"), 308, Now, Now.AddDays(1), 7)
        {
            Tags = ["a", "b"],
            Forwarding = LinkForwarding.Path | LinkForwarding.Query,
            ExpiredTarget = new Uri("https://shop.example/over"),
            PasswordHash = "hash",
        };

        var link = ShortLink.Read("oak", ["id", "request", Now.ToUnixTimeMilliseconds(), .. definition.ToRedis()])!;

        Assert.Equal(definition.ToRedis(), link.Definition.ToRedis());
        Assert.Equal((Now, "request", "id"), (link.CreatedAt, link.Request, link.Id));
        Assert.True(definition.IsSameButForPassword(link.Definition with { PasswordHash = "other" }));
        Assert.False(definition.IsSameButForPassword(definition with { Target = new Uri("https://shop.example/a?b=%41#d") }));
        Assert.False(definition.IsSameButForPassword(definition with { Tags = ["a"] }));
    }

    private static ShortLink Link(int status, DateTimeOffset? starts, DateTimeOffset? ends, long? maxVisits) =>
        new("oak", "id", new LinkDefinition(new Uri("https://shop.example/"), status, starts, ends, maxVisits), "", Now);
}
