using System.Net;
using System.Net.Http.Json;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.ShortLinks.Passwords;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.ShortLinks;

public sealed class PasswordTests : IAsyncLifetime
{
    private const string Password = "open sesame";

    private RedisServer _redis = null!;
    private GatewayNode _a = null!;
    private GatewayNode _b = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync("--rdbcompression", "no");
        var links = new { Enabled = true, PasswordAttempts = 3, FlushInterval = "00:00:00.100" };
        _a = await LinkTestNode.StartAsync(_redis, links);
        _b = await LinkTestNode.StartAsync(_redis, links);
    }

    public async Task DisposeAsync()
    {
        Assert.Empty(_a.Log.Exceptions);
        Assert.Empty(_b.Log.Exceptions);
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_protected_link_asks_for_its_password_and_redirects_whoever_knows_it()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, status = 307, password = Password, maxVisits = 1 });

        var prompt = await _b.FollowAsync("oak");
        Assert.Equal(HttpStatusCode.OK, prompt.StatusCode);
        Assert.Equal("text/html", prompt.Content.Headers.ContentType!.MediaType);
        Assert.Equal("no-store", prompt.CacheControl());
        Assert.Null(prompt.Headers.Location);
        var page = await prompt.Content.ReadAsStringAsync();
        Assert.Contains("<form method=\"post\">", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", prompt.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Null((await _b.AskAsync("oak")).Headers.Location);

        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(_b, "oak", "open barley")).StatusCode);
        Assert.Equal(0, await _a.VisitsAsync("oak"));
        var answer = await PostAsync(_b, "oak", Password);

        // By 307 the target would get the password.
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Equal(LinkTestNode.Target, answer.Headers.Location!.OriginalString);
        Assert.Equal("no-store", answer.CacheControl());
        Assert.Equal(1, await _a.VisitsAsync("oak"));
        Assert.Equal(HttpStatusCode.Gone, (await PostAsync(_b, "oak", Password)).StatusCode);
    }

    [Fact]
    public async Task Wrong_passwords_of_a_client_are_limited_over_all_nodes_and_right_ones_are_not()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });
        for (var i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(i % 2 == 0 ? _a : _b, "oak", Password)).StatusCode);

        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(i % 2 == 0 ? _a : _b, "oak", $"guess {i}")).StatusCode);

        foreach (var node in new[] { _a, _b })
        {
            var refused = await PostAsync(node, "oak", Password);
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalMinutes, 10, 15);
        }

        await _a.Admin.DeleteAsync("/links/oak");
        await using var connection = await _redis.ConnectAsync();
        Assert.Empty(connection.GetServers()[0].Keys(pattern: "*link*:*oak*"));
    }

    [Fact]
    public async Task A_password_is_kept_changed_and_taken_away_and_never_told()
    {
        var created = await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });
        Assert.Contains("\"hasPassword\":true", await created.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password })).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = "another" })).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target })).StatusCode);

        await _a.Admin.PutAsJsonAsync("/links/oak", new { target = "https://shop.example/2" });
        Assert.Equal("https://shop.example/2", (await PostAsync(_a, "oak", Password)).Headers.Location!.OriginalString);
        await _a.Admin.PutAsJsonAsync("/links/oak", new { target = LinkTestNode.Target, password = "new" });
        Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(_a, "oak", Password)).StatusCode);
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(_a, "oak", "new")).StatusCode);
        var told = await _a.Admin.GetStringAsync("/links/oak") + await _a.Admin.GetStringAsync("/links");
        Assert.DoesNotContain("pbkdf2", told, StringComparison.Ordinal);
        await _a.Admin.PutAsJsonAsync("/links/oak", new { target = LinkTestNode.Target, password = "" });
        Assert.Equal(HttpStatusCode.Found, (await _a.FollowAsync("oak")).StatusCode);
    }

    [Fact]
    public async Task Requests_with_one_key_and_another_password_are_told_apart_and_no_password_is_in_redis()
    {
        var link = new { target = LinkTestNode.Target, password = Password };
        Assert.Equal(HttpStatusCode.Created, (await _a.CreateAsync(link, "key")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _a.CreateAsync(link, "key")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _a.CreateAsync(new { target = LinkTestNode.Target, password = "another" }, "key")).StatusCode);

        await _redis.SaveAsync();
        Assert.DoesNotContain(Password, _redis.ReadSnapshot(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain", "password=open+sesame", 415)]
    [InlineData("multipart/form-data; boundary=x", "--x--", 415)]
    [InlineData("application/x-www-form-urlencoded; charset=utf-7", "password=open+sesame", 415)]
    [InlineData("application/x-www-form-urlencoded; charset=utf-16", "password=open+sesame", 415)]
    [InlineData("application/x-www-form-urlencoded; charset=none", "password=open+sesame", 415)]
    [InlineData("application/x-www-form-urlencoded", "", 400)]
    [InlineData("application/x-www-form-urlencoded", "password=", 400)]
    [InlineData("application/x-www-form-urlencoded", "password=a&password=b", 400)]
    [InlineData("application/x-www-form-urlencoded", "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1", 400)]
    [InlineData("application/x-www-form-urlencoded", "large", 413)]
    public async Task A_body_that_is_no_password_is_a_problem_of_the_client(string contentType, string body, int status)
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });
        using var content = new StringContent(body == "large" ? "password=" + new string('a', 5000) : body, Encoding.ASCII);
        content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(contentType);

        var answer = await _a.Public.PostAsync("/s/oak", content);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Passwords_tried_at_once_on_two_nodes_are_limited_as_those_one_after_the_other_are()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => PostAsync(i % 2 == 0 ? _a : _b, "oak", $"guess {i}")));

        Assert.Equal(3, answers.Count(answer => answer.StatusCode == HttpStatusCode.Forbidden));
        Assert.Equal(57, answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task Right_passwords_that_are_tried_at_once_are_not_taken_for_wrong_ones()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => PostAsync(i % 2 == 0 ? _a : _b, "oak", Password)));

        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.SeeOther);
        Assert.All(
            answers.Where(answer => answer.StatusCode != HttpStatusCode.SeeOther), answer => Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 1));
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(_a, "oak", Password)).StatusCode);
        Assert.False(await HasGuessesAsync("oak"));
    }

    [Fact]
    public async Task Passwords_that_nobody_had_time_to_compare_are_not_counted_as_wrong()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, PasswordAttempts = 200 });
        await node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => PostAsync(node, "oak", Password)));

        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable);
        Assert.False(await HasGuessesAsync("oak"));
    }

    [Fact]
    public async Task Right_passwords_of_visitors_who_leave_before_the_answer_are_not_counted_as_wrong()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });
        using var leaving = new CancellationTokenSource();
        var posts = Enumerable.Range(0, 20).Select(_ => PostAsync(_a, "oak", Password, leaving.Token)).ToList();

        await Task.WhenAny(posts);
        await leaving.CancelAsync();

        await Task.WhenAll(posts.Select(post => post.ContinueWith(_ => { }, TaskScheduler.Default)));
        await Eventually.TrueAsync(async () => !await HasGuessesAsync("oak"), "nothing is counted");
    }

    [Fact]
    public async Task A_client_with_too_many_wrong_passwords_takes_no_turn_from_others()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });
        await _a.CreateAsync(new { slug = "elm", target = LinkTestNode.Target, password = Password });
        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(_a, "oak", $"guess {i}")).StatusCode);

        // So many that whoever comes next may not even wait.
        var hasher = _a.Services.GetRequiredService<PasswordHasher>();
        using var ending = new CancellationTokenSource();
        var turns = Enumerable.Range(0, 1000).Select(_ => hasher.TryEnterAsync(ending.Token).AsTask()).ToList();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await PostAsync(_a, "elm", Password)).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await PostAsync(_a, "oak", Password)).StatusCode);

        await ending.CancelAsync();
        await Task.WhenAll(turns.Select(turn => turn.ContinueWith(_ => { }, TaskScheduler.Default)));
        foreach (var turn in turns.Where(turn => turn.IsCompletedSuccessfully))
            (await turn)?.Dispose();
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(_a, "elm", Password)).StatusCode);
    }

    [Fact]
    public async Task Without_redis_no_password_can_be_tried()
    {
        await _a.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = Password });
        await _a.FollowAsync("oak");
        await _redis.KillAsync();

        var answer = await PostAsync(_a, "oak", Password);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    private async Task<bool> HasGuessesAsync(string slug) => (int)await _redis.ExecuteAsync("EXISTS", $"gateway:link:{{{slug}}}:guesses") > 0;

    private static async Task<HttpResponseMessage> PostAsync(GatewayNode node, string slug, string password, CancellationToken cancellationToken = default)
    {
        using var form = new FormUrlEncodedContent([new("password", password)]);
        return await node.Public.PostAsync($"/s/{slug}", form, cancellationToken);
    }
}
