using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Sessions.Store;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Sessions;

/// <summary>Cookie sign-in whose tickets are in the session store: two nodes of an application, and a gateway that administers them.</summary>
public sealed class SignInTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private SignInApp _a = null!;
    private SignInApp _b = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _a = await StartAsync();
        _b = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_session_begun_on_one_node_is_known_to_all_and_ended_on_one_is_ended_on_all_at_once()
    {
        var browser = new Browser();
        Assert.Equal(HttpStatusCode.Redirect, await browser.StatusAsync(_a));
        await browser.SignInAsync(_a);
        Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(_a));
        Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(_b));
        var thief = new Browser { Cookie = browser.Cookie };

        using (await browser.SendAsync(_b, HttpMethod.Post, "/sign-out")) { }

        Assert.Equal(HttpStatusCode.Redirect, await thief.StatusAsync(_a));
        Assert.Equal(HttpStatusCode.Redirect, await thief.StatusAsync(_b));
        Assert.Empty(await KeysAsync("gateway:session*"));
        AssertNoExceptions();
    }

    [Fact]
    public async Task Who_signs_in_with_a_session_gets_another_id_and_the_old_one_is_dead()
    {
        var planted = new Browser();
        await planted.SignInAsync(_a, "mallory");
        var victim = new Browser { Cookie = planted.Cookie };
        Assert.Equal(HttpStatusCode.OK, await victim.StatusAsync(_a));

        await victim.SignInAsync(_b, "alice");

        Assert.NotEqual(planted.Cookie, victim.Cookie);
        Assert.Equal(HttpStatusCode.Redirect, await planted.StatusAsync(_a));
        using var me = await victim.SendAsync(_a, HttpMethod.Get, "/me");
        Assert.Equal("alice", await me.Content.ReadAsStringAsync());

        // The same subject again: another id too.
        var before = new Browser { Cookie = victim.Cookie };
        await victim.SignInAsync(_a, "alice");
        Assert.Equal(HttpStatusCode.Redirect, await before.StatusAsync(_b));
        Assert.Equal(HttpStatusCode.OK, await victim.StatusAsync(_b));
        using (await victim.SendAsync(_b, HttpMethod.Post, "/sign-out")) { }
        Assert.Empty(await KeysAsync("gateway:session*"));
        AssertNoExceptions();
    }

    [Fact]
    public async Task A_sign_in_too_many_ends_the_oldest_session()
    {
        await using var small = await StartAsync(settings: "Sessions:Store:MaxPerSubject=2");
        Browser[] browsers = [new(), new(), new()];
        foreach (var browser in browsers)
            await browser.SignInAsync(small);
        var other = new Browser();
        await other.SignInAsync(small, "bob");

        Assert.Equal(HttpStatusCode.Redirect, await browsers[0].StatusAsync(_a));
        foreach (var browser in browsers.Skip(1).Append(other))
            Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(_a));
        Assert.Equal(3, (await KeysAsync("gateway:session:*")).Count);
    }

    [Fact]
    public async Task The_admin_listener_and_the_application_list_and_end_a_subjects_sessions()
    {
        await using var gateway = await GatewayNode.StartAsync(redis: _redis.ConnectionString);
        var (phone, laptop, other) = (new Browser(), new Browser(), new Browser());
        await phone.SignInAsync(_a);
        await laptop.SignInAsync(_b);
        await other.SignInAsync(_b, "bob");

        var listed = await gateway.Admin.GetFromJsonAsync<JsonElement>("/sessions?subject=alice");
        var sessions = listed.GetProperty("sessions").EnumerateArray().ToArray();
        Assert.Equal(2, sessions.Length);
        Assert.True(sessions[0].GetProperty("expires").GetDateTimeOffset() - sessions[0].GetProperty("created").GetDateTimeOffset() == TimeSpan.FromMinutes(10));
        using (var one = await gateway.Admin.DeleteAsync($"/sessions?subject=alice&id={sessions[0].GetProperty("id").GetString()}"))
            Assert.Equal(1, (await one.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("ended").GetInt32());
        Assert.Equal(HttpStatusCode.Redirect, await phone.StatusAsync(_a));
        Assert.Equal(HttpStatusCode.OK, await laptop.StatusAsync(_a));

        var api = _a.Services.GetRequiredService<SubjectSessions>();
        Assert.Equal(sessions[1].GetProperty("id").GetString(), Assert.Single(await api.ListAsync("alice")).Id);
        Assert.Equal(1, await api.EndAsync("alice"));
        Assert.Empty(await api.ListAsync("alice"));
        Assert.Equal(HttpStatusCode.Redirect, await laptop.StatusAsync(_b));
        Assert.Equal(HttpStatusCode.OK, await other.StatusAsync(_a));
        AssertNoExceptions();
    }

    [Theory]
    [InlineData("/sessions")]
    [InlineData("/sessions?subject=")]
    [InlineData("/sessions?subject=alice&id=")]
    [InlineData("/sessions?subject=alice&id=*")]
    public async Task What_names_no_sessions_is_refused_with_a_problem(string path)
    {
        await using var gateway = await GatewayNode.StartAsync(redis: _redis.ConnectionString);

        using var ended = await gateway.Admin.DeleteAsync(path);

        Assert.Equal(HttpStatusCode.BadRequest, ended.StatusCode);
        Assert.Equal("application/problem+json", ended.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task While_Redis_is_away_nobody_is_somebody_and_what_needs_somebody_answers_503()
    {
        var browser = new Browser();
        await browser.SignInAsync(_a);
        var cookie = browser.Cookie;
        await _redis.SaveAsync();
        await _redis.KillAsync();

        Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(_a, "/anyone"));
        Assert.Equal(HttpStatusCode.OK, await new Browser().StatusAsync(_a, "/anyone"));
        foreach (var (method, path) in new[] { (HttpMethod.Get, "/me"), (HttpMethod.Post, "/sign-in/alice"), (HttpMethod.Post, "/sign-out") })
        {
            using var response = await browser.SendAsync(_b, method, path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
            Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        }

        Assert.Equal(cookie, browser.Cookie);
        Assert.Equal(HttpStatusCode.Redirect, await new Browser().StatusAsync(_b));

        await _redis.RestartAsync(withSavedData: true);
        await Eventually.TrueAsync(async () => await browser.StatusAsync(_b) == HttpStatusCode.OK, "the session is there again");
        AssertNoExceptions();
    }

    [Fact]
    public async Task A_node_that_starts_without_Redis_does_not_take_good_cookies_for_forged_ones()
    {
        var browser = new Browser();
        await browser.SignInAsync(_a);
        await _redis.SaveAsync();
        await _redis.KillAsync();
        await using var late = await StartAsync();
        // Its own keys cannot read the cookie: as far as it knows, this is nobody.
        Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(late, "/anyone"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await browser.StatusAsync(late));

        await _redis.RestartAsync(withSavedData: true);

        await Eventually.TrueAsync(async () => await browser.StatusAsync(late) == HttpStatusCode.OK, "the late node has the others' keys");
    }

    [Fact]
    public async Task Nothing_of_the_id_or_the_ticket_is_readable_in_Redis_and_every_key_expires()
    {
        var browser = new Browser();
        await browser.SignInAsync(_a, "a-subject-to-look-for");

        await using var connection = await _redis.ConnectAsync();
        var database = connection.GetDatabase();
        foreach (var key in await KeysAsync("gateway:session*"))
            Assert.NotNull(await database.KeyTimeToLiveAsync(key));
        var record = Assert.Single(await KeysAsync("gateway:session:*"));
        var all = string.Join('\n', (await database.HashGetAllAsync(record)).Select(field => System.Text.Encoding.Latin1.GetString((byte[])field.Value!)));
        Assert.DoesNotContain("a-subject-to-look-for", $"{all}{record}", StringComparison.Ordinal);
        Assert.DoesNotContain(browser.Cookie!, $"{all}{record}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_writes_to_Redis_cannot_give_one_session_the_ticket_of_another()
    {
        var (alice, mallory) = (new Browser(), new Browser());
        await alice.SignInAsync(_a);
        var ofAlice = Assert.Single(await KeysAsync("gateway:session:*"));
        await mallory.SignInAsync(_a, "mallory");
        var ofMallory = (await KeysAsync("gateway:session:*")).Single(key => key != ofAlice);
        await using var connection = await _redis.ConnectAsync();
        var database = connection.GetDatabase();

        await database.HashSetAsync(ofMallory, "data", await database.HashGetAsync(ofAlice, "data"));

        Assert.Equal(HttpStatusCode.Redirect, await mallory.StatusAsync(_b));
        AssertNoExceptions();
    }

    [Fact]
    public async Task Use_prolongs_a_session_and_a_kept_cookie_and_is_written_once_a_quarter()
    {
        await using var quick = await StartAsync(TimeSpan.FromSeconds(4));
        var browser = new Browser();
        await browser.SignInAsync(quick, keep: true);
        var expires = browser.CookieExpires;
        await using var connection = await _redis.ConnectAsync();
        var record = Assert.Single(await KeysAsync("gateway:session:*"));
        var seen = new HashSet<long>();
        var used = System.Diagnostics.Stopwatch.StartNew();
        var sets = 0;
        // Longer than the window: without use it would be over.
        while (used.Elapsed < TimeSpan.FromSeconds(6))
        {
            Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(quick));
            sets += browser.WasSet ? 1 : 0;
            seen.Add((long)await connection.GetDatabase().HashGetAsync(record, "seen"));
        }

        // A quarter is 1 s: at most one write in each, beside the sign-in's.
        Assert.InRange(seen.Count, 3, 7);
        Assert.InRange(sets, 2, 6);
        Assert.True(browser.CookieExpires > expires);
        Assert.All(seen.Order().Zip(seen.Order().Skip(1)), pair => Assert.True(pair.Second - pair.First >= 1000));
    }

    [Theory]
    [InlineData("sign-out")]
    [InlineData("admin listener")]
    [InlineData("limit")]
    public async Task The_open_connections_of_an_ended_session_are_closed_on_every_node(string by)
    {
        await using var gateway = await GatewayNode.StartAsync(redis: _redis.ConnectionString);
        await using var small = await StartAsync(settings: "Sessions:Store:MaxPerSubject=1");
        var (browser, other) = (new Browser(), new Browser());
        await browser.SignInAsync(_a);
        await other.SignInAsync(_a, "bob");
        using var stream = await OpenAsync(browser);
        using var othersStream = await OpenAsync(other);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);

        using var ended = by switch
        {
            "sign-out" => await browser.SendAsync(_a, HttpMethod.Post, "/sign-out"),
            "admin listener" => await gateway.Admin.DeleteAsync("/sessions?subject=alice"),
            _ => await new Browser().SendAsync(small, HttpMethod.Post, "/sign-in/alice"),
        };
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);

        await stream.AssertCutAsync(TimeSpan.FromSeconds(3));
        var others = othersStream.ReadOnAsync();
        Assert.Equal(HttpStatusCode.OK, await other.StatusAsync(_b));
        Assert.False(others.IsCompleted);
        AssertNoExceptions();
    }

    [Fact]
    public async Task Ending_sessions_again_reaches_the_connections_that_a_failed_attempt_did_not()
    {
        await using var gateway = await GatewayNode.StartAsync(redis: _redis.ConnectionString);
        using var stream = await SignInAndOpenAsync(new Browser());

        // The sessions end, but the change log takes no word of it.
        await AllowAsync("resetkeys", "~gateway:session*");
        using (var failed = await gateway.Admin.DeleteAsync("/sessions?subject=alice"))
            Assert.Equal(HttpStatusCode.ServiceUnavailable, failed.StatusCode);
        await AllowAsync("allkeys");
        Assert.Empty(await KeysAsync("gateway:session:*"));

        await Eventually.TrueAsync(
            async () =>
            {
                using var ended = await gateway.Admin.DeleteAsync("/sessions?subject=alice");
                return ended.IsSuccessStatusCode;
            },
            "the change log takes it");
        await stream.AssertCutAsync(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_sign_out_that_the_change_log_took_no_word_of_closes_connections_when_it_can()
    {
        var browser = new Browser();
        using var stream = await SignInAndOpenAsync(browser);

        await AllowAsync("resetkeys", "~gateway:session*");
        // It cannot be repeated: there is no session left to sign out of.
        using (var answer = await browser.SendAsync(_a, HttpMethod.Post, "/sign-out"))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(await KeysAsync("gateway:session:*"));
        await AllowAsync("allkeys");

        await stream.AssertCutAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task An_unused_session_ends_and_leaves_nothing()
    {
        await using var quick = await StartAsync(TimeSpan.FromSeconds(1));
        var browser = new Browser();
        await browser.SignInAsync(quick);
        Assert.Equal(HttpStatusCode.OK, await browser.StatusAsync(quick));

        await Eventually.TrueAsync(async () => (await KeysAsync("gateway:session:*")).Count == 0, "the session ends");

        Assert.Equal(HttpStatusCode.Redirect, await browser.StatusAsync(quick));
        Assert.Empty(await quick.Services.GetRequiredService<SubjectSessions>().ListAsync("alice"));
    }

    [Fact]
    public async Task A_session_that_does_not_slide_ends_when_it_was_to()
    {
        await using var quick = await StartAsync(TimeSpan.FromSeconds(1.5), slides: false);
        var browser = new Browser();
        await browser.SignInAsync(quick);

        await Eventually.TrueAsync(async () => await browser.StatusAsync(quick) == HttpStatusCode.Redirect, "use does not prolong it", TimeSpan.FromSeconds(5));
    }

    private async Task<HttpResponseMessage> SignInAndOpenAsync(Browser browser)
    {
        await browser.SignInAsync(_a);
        return await OpenAsync(browser);
    }

    private Task<HttpResponseMessage> OpenAsync(Browser browser) => browser.SendAsync(_b, HttpMethod.Get, "/events", HttpCompletionOption.ResponseHeadersRead);

    // What the nodes may touch in Redis.
    private async Task AllowAsync(params object[] rules)
    {
        await using var connection = await _redis.ConnectAsync();
        await connection.GetServers()[0].ExecuteAsync("ACL", ["SETUSER", "default", .. rules]);
    }

    private Task<SignInApp> StartAsync(TimeSpan? window = null, bool slides = true, params string[] settings) => SignInApp.StartAsync(
        _redis.ConnectionString,
        cookie =>
        {
            cookie.ExpireTimeSpan = window ?? cookie.ExpireTimeSpan;
            cookie.SlidingExpiration = slides;
        },
        settings: settings);

    private async Task<IReadOnlyList<RedisKey>> KeysAsync(string pattern)
    {
        await using var connection = await _redis.ConnectAsync();
        return [.. connection.GetServers()[0].Keys(pattern: pattern)];
    }

    private void AssertNoExceptions() => Assert.Empty(_a.Log.Exceptions.Concat(_b.Log.Exceptions));
}
