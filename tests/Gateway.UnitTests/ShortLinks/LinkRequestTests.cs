using System.Text.Json;
using Gateway.ShortLinks;
using Gateway.ShortLinks.Transfer;

namespace Gateway.UnitTests.ShortLinks;

public sealed class LinkRequestTests
{
    [Theory]
    [InlineData("2030-01-01", "2030-01-01T00:00:00+00:00")]
    [InlineData("2030-01-01T12:00:00", "2030-01-01T12:00:00+00:00")]
    [InlineData("2030-01-01T12:00:00Z", "2030-01-01T12:00:00+00:00")]
    [InlineData("2030-01-01T12:00:00.5+02:00", "2030-01-01T12:00:00.5+02:00")]
    public async Task A_time_without_an_offset_is_UTC_in_JSON_and_in_CSV_whatever_the_zone_of_the_machine(string text, string expected)
    {
        var zone = Environment.GetEnvironmentVariable("TZ");
        try
        {
            Environment.SetEnvironmentVariable("TZ", "Pacific/Auckland");
            TimeZoneInfo.ClearCachedData();
            Assert.NotEqual(TimeSpan.Zero, TimeZoneInfo.Local.BaseUtcOffset);

            var json = JsonSerializer.Deserialize<LinkRequest>($$"""{"startsAt":"{{text}}"}""", JsonSerializerOptions.Web)!;
            using var csv = new StringReader($"target,startsAt\n,{text}\n");
            var record = await CsvLinks.ReadAsync(csv, CancellationToken.None).SingleAsync();

            Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), json.StartsAt!.Value);
            Assert.Equal(json.StartsAt, record.Request!.StartsAt);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TZ", zone);
            TimeZoneInfo.ClearCachedData();
        }
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+1")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1")]
    [InlineData("-1|a")]
    public void No_member_that_a_spreadsheet_would_run_as_a_formula_gets_into_a_link_and_so_into_a_table(string text)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var request = new LinkRequest { Slug = text, Target = text, ExpiredTarget = text, Tags = [text], PasswordHash = text };

        request.ReadSlug(new ShortLinksOptions(), errors);
        TargetRules.TryRead(text, new ShortLinksOptions(), out _, out var problem);

        Assert.True(errors.ContainsKey("slug"));
        Assert.NotEmpty(problem);
        Assert.False(TagRules.IsWellFormed(text));
        Assert.False(Gateway.ShortLinks.Passwords.PasswordHash.IsWellFormed(text));
    }
}
