using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Sessions;

/// <summary>What clients and operators can send that is wrong.</summary>
public sealed class SessionsInputTests(SessionsFixture fixture) : IClassFixture<SessionsFixture>
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("CfDJ8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("a")]
    [InlineData("%00%ff")]
    [InlineData("tampered")]
    [InlineData("truncated")]
    [InlineData("of another cluster")]
    [InlineData("too long")]
    public async Task A_forged_or_foreign_cookie_chooses_nothing(string forgery)
    {
        var world = fixture.World;
        var records = (await world.RecordsAsync()).Count;
        var victim = new Shopper();
        await victim.VisitAsync(world.A);
        await victim.VisitAsync(world.A, "/other/catalog/1");
        var real = victim[SessionsWorld.CookieName]!;
        var forged = forgery switch
        {
            "tampered" => real[..40] + (real[40] == 'A' ? 'B' : 'A') + real[41..],
            "truncated" => real[..^8],
            "of another cluster" => victim["other"]!,
            "too long" => new string('A', 6000),
            _ => forgery,
        };

        var backends = new HashSet<string>();
        for (var i = 0; i < 4; i++)
        {
            var forger = new Shopper { [SessionsWorld.CookieName] = forged };
            backends.Add(await forger.VisitAsync(world.B));
            Assert.StartsWith(SessionsWorld.CookieName + "=", Assert.Single(forger.LastSet), StringComparison.Ordinal);
            Assert.NotEqual(forged, forger[SessionsWorld.CookieName]);
        }

        Assert.Equal(2, backends.Count);
        Assert.Equal(records, (await world.RecordsAsync()).Count);
        world.AssertNoExceptions();
    }

    [Theory]
    [InlineData("Cookie: affinity=\u00ff\u00fe\u0080", "200")]
    [InlineData("Cookie: affinity=\u0001\u007f", "200")]
    [InlineData("Cookie: affinity", "200")]
    [InlineData("Cookie: affinity=;=;;,affinity=\"", "200")]
    [InlineData("Cookie: affinity=a b\tc", "200")]
    [InlineData("MANY", "200")]
    [InlineData("HUGE", "431")]
    public async Task Cookies_of_any_octets_of_any_number_and_size_fail_nothing(string field, string expected)
    {
        var world = fixture.World;
        field = field switch
        {
            "MANY" => "Cookie: " + string.Join("; ", Enumerable.Range(0, 1000).Select(i => $"affinity=CfDJ8{i}")),
            "HUGE" => "Cookie: affinity=" + new string('A', 60_000),
            _ => field,
        };

        var answer = await world.A.RawAsync($"GET /catalog/1 HTTP/1.1\r\nHost: a\r\n{field}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {expected} ", answer, StringComparison.Ordinal);
        world.AssertNoExceptions();
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"cluster":"shop"}""")]
    [InlineData("""{"cluster":"nowhere","destination":"a"}""")]
    [InlineData("""{"cluster":"shop","destination":"z"}""")]
    [InlineData("""{"cluster":"","destination":""}""")]
    [InlineData("""{"cluster":1,"destination":"a"}""")]
    [InlineData("""null""")]
    [InlineData("""not json""")]
    public async Task What_names_no_destination_is_refused_with_a_problem(string body)
    {
        var world = fixture.World;

        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await world.A.Admin.PostAsync("/sessions/drain", content);
        using var unknown = await world.A.Admin.DeleteAsync("/sessions/drain?cluster=shop&destination=a");
        using var unnamed = await world.A.Admin.DeleteAsync("/sessions/drain");

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
        foreach (var response in new[] { answer, unknown, unnamed })
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        world.AssertNoExceptions();
    }
}
