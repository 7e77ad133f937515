using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Gateway.IntegrationTests.Caching;

public sealed class InspectionTests : OneNodeTests
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        for (var i = 0; i < 5; i++)
            Origin.Map($"/a/{i}", "a", ("Cache-Control", "max-age=60"), ("Surrogate-Key", i % 2 == 0 ? "even all" : "odd all"));
        Origin.Map("/ab", "b", ("Cache-Control", "max-age=60"), ("Vary", "Cookie"));
        foreach (var path in new[] { "/a/0", "/a/1", "/a/2", "/a/3?q=1", "/a/4" })
            await Node.GetAsync(path);
        await Node.GetAsync("/ab", ("Cookie", "secret-cookie"));
    }

    [Theory]
    [InlineData("", 6)]
    [InlineData("?prefix=http://shop.example/a", 5)]
    [InlineData("?prefix=http://shop.example/a/3", 1)]
    [InlineData("?prefix=http://shop.example", 6)]
    [InlineData("?prefix=http://other.example", 0)]
    [InlineData("?tag=odd", 2)]
    [InlineData("?tag=all", 5)]
    public async Task What_a_purge_would_match_is_listed(string query, int expected)
    {
        var page = await Node.Admin.GetFromJsonAsync<JsonElement>($"/cache/entries{query}");

        Assert.Equal(expected, page.GetProperty("entries").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, page.GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task Pages_follow_each_other_and_miss_nothing()
    {
        var urls = new List<string>();
        for (var next = "/cache/entries?tag=all&size=2"; next is not null;)
        {
            var page = await Node.Admin.GetFromJsonAsync<JsonElement>(next);
            Assert.InRange(page.GetProperty("entries").GetArrayLength(), 1, 2);
            urls.AddRange(page.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("url").GetString()!));
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(
            ["http://shop.example/a/0", "http://shop.example/a/1", "http://shop.example/a/2", "http://shop.example/a/3?q=1", "http://shop.example/a/4"], urls);
    }

    [Fact]
    public async Task An_entry_says_what_it_is_and_whether_it_is_purged_but_not_by_which_values_it_was_selected()
    {
        var text = await Node.Admin.GetStringAsync("/cache/entries?prefix=http://shop.example/ab");
        Assert.DoesNotContain("secret-cookie", text, StringComparison.Ordinal);
        var entry = JsonDocument.Parse(text).RootElement.GetProperty("entries")[0];
        Assert.Equal("cookie", entry.GetProperty("vary")[0].GetString(), ignoreCase: true);
        Assert.Equal("all", entry.GetProperty("route").GetString());
        Assert.Equal(200, entry.GetProperty("status").GetInt32());
        Assert.InRange(entry.GetProperty("ttl").GetInt64(), 1, 60);

        await Node.Admin.PostAsJsonAsync("/cache/purge", new { tag = "even", soft = true });
        await Node.Admin.PostAsJsonAsync("/cache/purge", new { tag = "odd" });
        var page = await Node.Admin.GetFromJsonAsync<JsonElement>("/cache/entries");
        Assert.Equal(
            ["soft", "hard", "soft", "hard", "soft", "no"], page.GetProperty("entries").EnumerateArray().Select(one => one.GetProperty("purged").GetString()));
    }

    [Theory]
    [InlineData("?prefix=/a")]
    [InlineData("?prefix=http://shop.example/a?b")]
    [InlineData("?tag=a%20b")]
    [InlineData("?tag=a&prefix=http://shop.example")]
    [InlineData("?size=0")]
    [InlineData("?size=501")]
    [InlineData("?size=x")]
    [InlineData("?after=x")]
    public async Task What_cannot_be_listed_is_refused_with_a_problem(string query)
    {
        using var response = await Node.Admin.GetAsync($"/cache/entries{query}");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Empty(Node.Log.Exceptions);
    }

    [Fact]
    public async Task Statistics_count_hits_and_misses_by_reason_and_what_memory_holds()
    {
        await Node.GetAsync("/a/0");
        await Node.GetAsync("/a/0", ("Cache-Control", "no-cache"));

        var statistics = await Node.Admin.GetFromJsonAsync<JsonElement>("/cache/statistics");

        Assert.Equal(1, statistics.GetProperty("hits").GetInt64());
        Assert.Equal(7, statistics.GetProperty("forwarded").GetInt64());
        Assert.Equal(1, statistics.GetProperty("hitsByReason").GetProperty("fresh").GetInt64());
        Assert.Equal(6, statistics.GetProperty("forwardedByReason").GetProperty("not-stored").GetInt64());
        Assert.Equal(1, statistics.GetProperty("forwardedByReason").GetProperty("request-no-cache").GetInt64());
        Assert.Equal(6, statistics.GetProperty("entries").GetInt32());
        Assert.InRange(statistics.GetProperty("size").GetInt64(), 6 * 320, statistics.GetProperty("limit").GetInt64());
        var nodes = await Node.Admin.GetFromJsonAsync<JsonElement>("/nodes");
        Assert.Equal(nodes.GetProperty("nodes")[0].GetProperty("id").GetString(), statistics.GetProperty("node").GetString());
    }
}
