using Gateway.RateLimiting;
using Gateway.RateLimiting.Lists;

namespace Gateway.UnitTests.RateLimiting;

public sealed class ListEntryTests
{
    [Fact]
    public void An_entry_is_read_as_it_was_written()
    {
        var entry = new ListEntry(
            "id", ListKind.Deny, "api", new IdentityPart(IdentitySource.Header, "x-key"), DateTimeOffset.FromUnixTimeMilliseconds(1_900_000_000_123), "abuse, ticket 7");
        var forever = entry with { EndsAt = DateTimeOffset.MaxValue };

        Assert.Equal(entry, ListEntry.Parse("id", entry.ToText()));
        Assert.Equal(DateTimeOffset.MaxValue.Year, ListEntry.Parse("id", forever.ToText())!.EndsAt.Year);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x {}")]
    [InlineData("5")]
    [InlineData("5 ")]
    [InlineData("5 {")]
    [InlineData("5 {}")]
    [InlineData("5 {\"List\":\"Maybe\",\"Policy\":\"p\",\"By\":\"ClientIp\",\"Note\":\"\"}")]
    [InlineData("5 {\"List\":\"Deny\",\"Policy\":\"p\",\"By\":\"Colour\",\"Note\":\"\"}")]
    public void What_is_no_entry_is_left_out(string text) => Assert.Null(ListEntry.Parse("id", text));

    [Fact]
    public void An_id_belongs_to_one_policy_part_and_value()
    {
        IdentityPart key = new(IdentitySource.Header, "x-key"), other = new(IdentitySource.Header, "x-keya"), cookie = new(IdentitySource.Cookie, "x-key");
        string[] ids = [ListEntry.IdOf("a", key, "ab"), ListEntry.IdOf("b", key, "ab"), ListEntry.IdOf("a", other, "b"), ListEntry.IdOf("a", cookie, "ab"), ListEntry.IdOf("a", key, "b")];

        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.Equal(ListEntry.IdOf("API", key, "v"), ListEntry.IdOf("api", key, "v"));
    }
}
