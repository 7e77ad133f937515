using System.Net;
using System.Net.Http.Json;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ShortLinks;

public sealed class LinkAdminTests : IAsyncLifetime
{
    private static readonly string[] Hosts = ["go.example", "xn--bcher-kva.example", "127.0.0.1"];
    private static readonly string[] Reserved = ["brand"];

    private RedisServer _redis = null!;
    private GatewayNode _node = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, Hosts, ReservedSlugs = Reserved });
    }

    public async Task DisposeAsync()
    {
        Assert.Empty(_node.Log.Exceptions);
        await _node.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Making_the_same_link_again_answers_200_and_another_with_its_slug_409()
    {
        var link = new { slug = "oak", target = LinkTestNode.Target };

        Assert.Equal(HttpStatusCode.Created, (await _node.CreateAsync(link)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _node.CreateAsync(link)).StatusCode);
        await AssertProblemAsync(await _node.CreateAsync(new { slug = "oak", target = "https://shop.example/2" }), HttpStatusCode.Conflict);
        await AssertProblemAsync(await _node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, status = 301 }), HttpStatusCode.Conflict);
        Assert.Equal(HttpStatusCode.Created, (await _node.CreateAsync(new { slug = "Oak", target = "https://shop.example/2" })).StatusCode);
        Assert.Equal(LinkTestNode.Target, (await _node.FollowAsync("oak")).Headers.Location!.OriginalString);
    }

    [Fact]
    public async Task Requests_with_one_idempotency_key_make_one_link()
    {
        var link = new { target = LinkTestNode.Target };

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _node.CreateAsync(link, "key-1")));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        var slugs = await Task.WhenAll(answers.Select(async answer => (await answer.JsonAsync()).GetProperty("slug").GetString()));
        Assert.Single(slugs.Distinct());
        Assert.NotEqual(slugs[0], (await (await _node.CreateAsync(link, "key-2")).JsonAsync()).GetProperty("slug").GetString());
        await AssertProblemAsync(await _node.CreateAsync(new { target = "https://shop.example/2" }, "key-1"), HttpStatusCode.UnprocessableEntity);
        await AssertProblemAsync(await _node.CreateAsync(new { slug = "other", target = LinkTestNode.Target }, "key-1"), HttpStatusCode.UnprocessableEntity);
        await AssertProblemAsync(await _node.CreateAsync(link, new string('k', 256)), HttpStatusCode.BadRequest);

        await using var connection = await _redis.ConnectAsync();
        Assert.DoesNotContain(connection.GetServers()[0].Keys(), key => key.ToString().Contains("key-1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_generated_slug_is_followed_like_any_other()
    {
        var created = await (await _node.CreateAsync(new { target = LinkTestNode.Target })).JsonAsync();

        var answer = await _node.Public.GetAsync(created.GetProperty("path").GetString());

        Assert.Equal(LinkTestNode.Target, answer.Headers.Location!.OriginalString);
        Assert.Matches("^[2-9a-hj-np-zA-HJ-NP-Zijk]{7}$", created.GetProperty("slug").GetString());
    }

    [Fact]
    public async Task Links_are_listed_by_prefix_a_page_at_a_time()
    {
        foreach (var slug in new[] { "b", "aa", "ab", "a", "ac", "Z" })
            await _node.CreateAsync(new { slug, target = LinkTestNode.Target });

        Assert.Equal(["Z", "a", "aa", "ab", "ac", "b"], await ListAsync("/links"));
        Assert.Equal(["a", "aa", "ab", "ac"], await ListAsync("/links?prefix=a"));
        Assert.Equal(["a", "aa", "ab", "ac"], await ListAsync("/links?prefix=a&limit=1"));
        Assert.Equal(["a", "aa", "ab", "ac"], await ListAsync("/links?prefix=a&limit=2"));
        Assert.Equal(["ab"], await ListAsync("/links?prefix=ab"));
        Assert.Empty(await ListAsync("/links?prefix=x"));
        await _node.Admin.DeleteAsync("/links/ab");
        Assert.Equal(["a", "aa", "ac"], await ListAsync("/links?prefix=a"));
    }

    [Theory]
    [InlineData("GET", "/links?limit=0", null, 400)]
    [InlineData("GET", "/links?limit=501", null, 400)]
    [InlineData("GET", "/links?limit=many", null, 400)]
    [InlineData("GET", "/links?prefix=a*", null, 400)]
    [InlineData("GET", "/links?after=%00", null, 400)]
    [InlineData("GET", "/top-links?period=year", null, 400)]
    [InlineData("GET", "/top-links?period=1", null, 400)]
    [InlineData("GET", "/top-links?period=", null, 400)]
    [InlineData("GET", "/top-links?limit=0", null, 400)]
    [InlineData("GET", "/links?tag=a*", null, 400)]
    [InlineData("GET", "/links/none/statistics", null, 404)]
    [InlineData("GET", "/export-links?format=xml", null, 400)]
    [InlineData("GET", "/export-links?prefix=a*", null, 400)]
    [InlineData("POST", "/import-links", "{}", 415)]
    [InlineData("GET", "/links/none", null, 404)]
    [InlineData("PUT", "/links/none", """{"target":"https://shop.example/","visits":1}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","tags":["a b"]}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","tags":[null]}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","tags":"a"}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","expiredTarget":"javascript:alert(1)"}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","expiredTarget":"http://go.example/s/other"}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","forwardPath":true}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","passwordHash":"plain"}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","visits":-1}""", 400)]
    [InlineData("GET", "/links/a%20b", null, 404)]
    [InlineData("PUT", "/links/none", """{"target":"https://shop.example/"}""", 404)]
    [InlineData("PUT", "/links/none", """{"slug":"other","target":"https://shop.example/"}""", 400)]
    [InlineData("PUT", "/links/none", """{"target":"nonsense"}""", 400)]
    [InlineData("DELETE", "/links/none", null, 404)]
    [InlineData("POST", "/links", "", 400)]
    [InlineData("POST", "/links", "not json", 400)]
    [InlineData("POST", "/links", "null", 400)]
    [InlineData("POST", "/links", "[]", 400)]
    [InlineData("POST", "/links", "{}", 400)]
    [InlineData("GET", "/top-links?period=hour,day", null, 400)]
    [InlineData("POST", "/links", "{\"target\":\"https://shop.example/\\ud800\"}", 400)]
    [InlineData("POST", "/links", "{\"slug\":\"\\udfff\",\"target\":\"https://shop.example/\"}", 400)]
    [InlineData("POST", "/links", "{\"target\":\"https://shop.example/\",\"password\":\"\\ud800\"}", 400)]
    [InlineData("POST", "/links", "{\"target\":\"https://shop.example/\",\"tags\":[\"\\ud800\"]}", 400)]
    [InlineData("POST", "/links", "{\"target\":\"https://shop.example/\",\"startsAt\":1}", 400)]
    [InlineData("POST", "/links", "{\"target\":\"https://shop.example/\",\"startsAt\":\"9999-12-31T23:59:59-14:00\"}", 400)]
    [InlineData("POST", "/links", "{\"target\":\"https://shop.example/\",\"status\":\"301\\n\"}", 400)]
    [InlineData("POST", "/links", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 400)]
    [InlineData("POST", "/links", """{"target":1}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","expires":"2030-01-01"}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","status":200}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","status":304}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","maxVisits":0}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","maxVisits":1e30}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","expiresAt":"tomorrow"}""", 400)]
    [InlineData("POST", "/links", """{"target":"https://shop.example/","startsAt":"2030-01-02T00:00:00Z","expiresAt":"2030-01-01T00:00:00Z"}""", 400)]
    public async Task A_request_that_cannot_be_done_is_answered_with_a_problem(string method, string path, string? body, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");

        await AssertProblemAsync(await _node.Admin.SendAsync(request), (HttpStatusCode)status);
    }

    [Fact]
    public async Task Links_are_listed_by_tag_as_their_tags_change_and_no_tag_outlives_its_links()
    {
        await _node.CreateAsync(new { slug = "a1", target = LinkTestNode.Target, tags = new[] { "Sale", "summer" } });
        await _node.CreateAsync(new { slug = "a2", target = LinkTestNode.Target, tags = new[] { "sale" } });
        await _node.CreateAsync(new { slug = "b1", target = LinkTestNode.Target, tags = new[] { "sale" } });
        // Taken: of its tags only those are listed that the link which is there has too.
        await _node.CreateAsync(new { slug = "b1", target = "https://shop.example/2", tags = new[] { "stray", "sale" } });
        await _node.Admin.PutAsJsonAsync("/links/none", new { target = LinkTestNode.Target, tags = new[] { "stray" } });

        Assert.Equal(["a1", "a2", "b1"], await ListAsync("/links?tag=sale&limit=2"));
        Assert.Equal(["a1", "a2"], await ListAsync("/links?tag=SALE&prefix=a"));
        Assert.Equal(["a1"], await ListAsync("/links?tag=summer"));
        await _node.Admin.PutAsJsonAsync("/links/a1", new { target = LinkTestNode.Target, tags = new[] { "winter" } });
        Assert.Equal(["a2", "b1"], await ListAsync("/links?tag=sale"));
        Assert.Equal(["a1"], await ListAsync("/links?tag=winter"));

        foreach (var slug in new[] { "a1", "a2", "b1" })
            Assert.Equal(HttpStatusCode.NoContent, (await _node.Admin.DeleteAsync($"/links/{slug}")).StatusCode);
        await using var connection = await _redis.ConnectAsync();
        Assert.Empty(connection.GetServers()[0].Keys(pattern: "*link*"));
    }

    [Fact]
    public async Task Upper_and_lower_case_are_one_link_where_configured()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, CaseSensitive = false });
        await node.CreateAsync(new { slug = "OAK", target = LinkTestNode.Target });

        foreach (var slug in new[] { "oak", "Oak", "OAK" })
            Assert.Equal(HttpStatusCode.Found, (await node.FollowAsync(slug)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await node.CreateAsync(new { slug = "oAk", target = "https://shop.example/2" })).StatusCode);
        Assert.Equal("oak", (await (await node.Admin.GetAsync("/links/Oak")).JsonAsync()).GetProperty("slug").GetString());
        Assert.Contains("\"oak\"", await node.Admin.GetStringAsync("/links?prefix=OA"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_hostile_target_is_refused()
    {
        var taken = new List<string>();
        foreach (var target in LinkTestNode.ReadList("hostile-targets.txt"))
        {
            var answer = await _node.CreateAsync(new { target });
            if (answer.StatusCode == HttpStatusCode.Created)
                taken.Add(target);
            else
                await AssertProblemAsync(answer, HttpStatusCode.BadRequest, "target", target);
        }

        Assert.Empty(taken);
    }

    [Fact]
    public async Task Every_hostile_slug_is_refused()
    {
        var taken = new List<string>();
        foreach (var slug in LinkTestNode.ReadList("hostile-slugs.txt"))
        {
            var answer = await _node.CreateAsync(new { slug, target = LinkTestNode.Target });
            if (answer.StatusCode == HttpStatusCode.Created)
                taken.Add(slug);
            else
                await AssertProblemAsync(answer, HttpStatusCode.BadRequest, "slug", slug);
        }

        Assert.Empty(taken);
    }

    [Fact]
    public async Task A_link_to_a_link_on_the_gateways_own_address_is_refused_where_private_targets_are_allowed_too()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, AllowPrivateTargets = true });

        foreach (var host in new[] { "127.0.0.1", "localhost", "127.1" })
        {
            var target = $"http://{host}:{node.PublicAddress.Port}/s/other";
            await AssertProblemAsync(await node.CreateAsync(new { target }), HttpStatusCode.BadRequest, "target", target);
        }

        Assert.Equal(HttpStatusCode.Created, (await node.CreateAsync(new { target = new Uri(node.PublicAddress, "/catalog/1") })).StatusCode);
    }

    [Fact]
    public async Task A_link_below_the_path_of_another_is_refused_where_paths_are_passed_on()
    {
        await using var node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, Hosts, ForwardPaths = true });

        await AssertProblemAsync(
            await node.CreateAsync(new { slug = "oak", target = "http://go.example/s/oak/more", forwardPath = true }), HttpStatusCode.BadRequest, "target");
        await AssertProblemAsync(await node.CreateAsync(new { target = "http://go.example//s//oak/more/" }), HttpStatusCode.BadRequest, "target");
        Assert.Equal(HttpStatusCode.Created, (await node.CreateAsync(new { target = "http://go.example/shop/s/oak" })).StatusCode);
    }

    [Fact]
    public async Task A_key_that_met_another_link_leaves_no_trace_when_that_is_removed()
    {
        var link = new { slug = "oak", target = LinkTestNode.Target };
        await _node.CreateAsync(link);
        Assert.Equal(HttpStatusCode.OK, (await _node.CreateAsync(link, "same")).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await _node.CreateAsync(new { slug = "oak", target = "https://shop.example/2" }, "other")).StatusCode);
        // The conflict is no link: the key can be sent with another slug.
        Assert.Equal(HttpStatusCode.Created, (await _node.CreateAsync(new { slug = "elm", target = "https://shop.example/2" }, "other")).StatusCode);

        await _node.Admin.DeleteAsync("/links/oak");
        await _node.Admin.DeleteAsync("/links/elm");

        await using var connection = await _redis.ConnectAsync();
        Assert.Empty(connection.GetServers()[0].Keys(pattern: "*link*"));
    }

    [Fact]
    public async Task Links_changed_and_removed_at_the_same_time_leave_no_trace()
    {
        for (var round = 0; round < 30; round++)
        {
            await _node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, tags = new[] { "old" } });
            await Task.WhenAll(
                _node.Admin.PutAsJsonAsync("/links/oak", new { target = LinkTestNode.Target, tags = new[] { $"new-{round}" } }),
                _node.Admin.PutAsJsonAsync("/links/oak", new { target = LinkTestNode.Target, tags = new[] { $"newer-{round}" } }),
                _node.Admin.DeleteAsync("/links/oak"));
            await _node.Admin.DeleteAsync("/links/oak");
        }

        await using var connection = await _redis.ConnectAsync();
        Assert.Empty(connection.GetServers()[0].Keys(pattern: "*link*"));
    }

    [Fact]
    public async Task A_page_after_another_misses_and_repeats_no_link_that_stays_while_others_come_and_go()
    {
        string[] staying = [.. Enumerable.Range(0, 100).Select(i => $"m{i:000}")];
        await Parallel.ForEachAsync(staying, async (slug, _) => await _node.CreateAsync(new { slug, target = LinkTestNode.Target }));
        using var ending = new CancellationTokenSource();
        var changing = Task.Run(async () =>
        {
            for (var i = 0; !ending.IsCancellationRequested; i = (i + 7) % 100)
            {
                await _node.CreateAsync(new { slug = $"m{i:000}x", target = LinkTestNode.Target });
                await _node.Admin.DeleteAsync($"/links/m{i:000}x");
            }
        });

        for (var round = 0; round < 5; round++)
        {
            var listed = await ListAsync("/links?prefix=m&limit=7");
            Assert.Equal(staying, listed.Where(slug => slug.Length == 4));
            Assert.Equal(listed.Count, listed.Distinct().Count());
        }

        await ending.CancelAsync();
        await changing;
    }

    [Fact]
    public async Task Requests_with_one_key_and_other_visits_are_told_apart()
    {
        Assert.Equal(HttpStatusCode.Created, (await _node.CreateAsync(new { target = LinkTestNode.Target, visits = 5 }, "key")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _node.CreateAsync(new { target = LinkTestNode.Target, visits = 5 }, "key")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _node.CreateAsync(new { target = LinkTestNode.Target, visits = 6 }, "key")).StatusCode);
    }

    [Fact]
    public async Task Without_redis_the_admin_endpoints_answer_503()
    {
        await _redis.KillAsync();

        var answers = new[]
        {
            await _node.CreateAsync(new { target = LinkTestNode.Target }),
            await _node.CreateAsync(new { target = LinkTestNode.Target }, "key"),
            await _node.Admin.GetAsync("/links"),
            await _node.Admin.GetAsync("/links/oak"),
            await _node.Admin.GetAsync("/top-links"),
            await _node.Admin.GetAsync("/links?tag=sale"),
            await _node.Admin.GetAsync("/links/oak/statistics"),
            await _node.Admin.GetAsync("/export-links"),
            await _node.Admin.PutAsJsonAsync("/links/oak", new { target = LinkTestNode.Target }),
            await _node.Admin.DeleteAsync("/links/oak"),
        };

        foreach (var answer in answers)
        {
            await AssertProblemAsync(answer, HttpStatusCode.ServiceUnavailable);
            Assert.NotNull(answer.Headers.RetryAfter);
        }
    }

    [Fact]
    public async Task Everything_works_on_the_embedded_server()
    {
        await using var node = await LinkTestNode.StartAsync(redis: null);
        var link = new { slug = "oak", target = LinkTestNode.Target };
        Assert.Equal(HttpStatusCode.Created, (await node.CreateAsync(link, "key")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await node.CreateAsync(link, "key")).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await node.CreateAsync(new { slug = "two", target = LinkTestNode.Target, maxVisits = 2 })).StatusCode);

        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.Found, (await node.FollowAsync("oak")).StatusCode);
        var statuses = new[] { (await node.FollowAsync("two")).StatusCode, (await node.FollowAsync("two")).StatusCode, (await node.FollowAsync("two")).StatusCode };

        Assert.Equal([HttpStatusCode.Found, HttpStatusCode.Found, HttpStatusCode.Gone], statuses);
        Assert.Equal(3, await node.VisitsAsync("oak"));
        Assert.Equal("""{"period":"all","links":[{"slug":"oak","visits":3},{"slug":"two","visits":2}]}""", await node.Admin.GetStringAsync("/top-links?period=all"));
        Assert.Equal(["oak", "two"], (await (await node.Admin.GetAsync("/links")).JsonAsync()).GetProperty("links").EnumerateArray().Select(found => found.GetProperty("slug").GetString()));
        Assert.Equal(HttpStatusCode.OK, (await node.Admin.PutAsJsonAsync("/links/oak", new { target = "https://shop.example/2" })).StatusCode);
        Assert.Equal("https://shop.example/2", (await node.FollowAsync("oak")).Headers.Location!.OriginalString);
        Assert.Equal(4, await node.VisitsAsync("oak"));
        Assert.Equal(HttpStatusCode.NoContent, (await node.Admin.DeleteAsync("/links/oak")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await node.FollowAsync("oak")).StatusCode);

        await node.CreateAsync(new { slug = "vault", target = LinkTestNode.Target, password = "open sesame", tags = new[] { "sale" } });
        foreach (var (password, status) in new[] { ("wrong", HttpStatusCode.Forbidden), ("open sesame", HttpStatusCode.SeeOther) })
        {
            using var form = new FormUrlEncodedContent([new("password", password)]);
            Assert.Equal(status, (await node.Public.PostAsync("/s/vault", form)).StatusCode);
        }

        Assert.Contains("\"vault\"", await node.Admin.GetStringAsync("/links?tag=sale"), StringComparison.Ordinal);
        Assert.Empty(node.Log.Exceptions);
    }

    private async Task<List<string>> ListAsync(string? path)
    {
        var slugs = new List<string>();
        while (path is not null)
        {
            var page = await (await _node.Admin.GetAsync(path)).JsonAsync();
            slugs.AddRange(page.GetProperty("links").EnumerateArray().Select(link => link.GetProperty("slug").GetString()!));
            path = page.GetProperty("next").GetString();
        }

        return slugs;
    }

    private static async Task AssertProblemAsync(HttpResponseMessage answer, HttpStatusCode status, string? member = null, string? input = null)
    {
        Assert.True(status == answer.StatusCode, $"{answer.StatusCode} instead of {status} for {input}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.JsonAsync();
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        if (member is not null)
            Assert.NotEmpty(problem.GetProperty("errors").GetProperty(member)[0].GetString()!);
    }
}
