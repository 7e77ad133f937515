using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Redis;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>Many links on the server inside the process, where no Redis is configured.</summary>
public sealed class EmbeddedServerTests : IAsyncLifetime
{
    private const int Links = 3000;
    private GatewayNode _node = null!;

    public async Task InitializeAsync() => _node = await LinkTestNode.StartAsync(redis: null);

    public async Task DisposeAsync()
    {
        Assert.Empty(_node.Log.Exceptions);
        await _node.DisposeAsync();
    }

    [Theory]
    [InlineData("csv", "text/csv")]
    [InlineData("jsonl", "application/jsonl")]
    public async Task Thousands_of_links_go_in_with_a_bad_line_among_them_and_come_out_as_they_went_in(string format, string contentType)
    {
        var text = new StringBuilder(format == "csv" ? "slug,target,tags,maxVisits\r\n" : "");
        for (var i = 0; i < Links; i++)
        {
            text.Append(format == "csv"
                ? $"n-{i},\"https://shop.example/catalog/{i}?a=1,2\",bulk part-{i % 3},{(i % 2 == 0 ? "7" : "")}\r\n"
                : $$"""{"slug":"n-{{i}}","target":"https://shop.example/catalog/{{i}}?a=1,2","tags":["bulk","part-{{i % 3}}"]{{(i % 2 == 0 ? ",\"maxVisits\":7" : "")}}}""" + "\n");
            if (i == Links / 2)
                text.Append(format == "csv" ? "bad,javascript:alert(1),,\r\n" : """{"slug":"bad","target":"javascript:alert(1)"}""" + "\n");
        }

        var lines = await ImportAsync(_node, text.ToString(), contentType);

        Assert.Equal((Links, 1, true), (lines[^1].GetProperty("created").GetInt32(), lines[^1].GetProperty("rejected").GetInt32(), lines[^1].GetProperty("done").GetBoolean()));
        var header = format == "csv" ? 1 : 0;
        Assert.Equal((Links / 2) + 2 + header, lines[0].GetProperty("line").GetInt32());
        Assert.Equal(Links + 1 + header, lines[^1].GetProperty("line").GetInt32());
        // What lies between is how far it was.
        Assert.All(lines[1..^1], line => Assert.InRange(line.GetProperty("line").GetInt32(), 1, Links + 1));

        var exported = await _node.Admin.GetStringAsync($"/export-links?format={format}");
        Assert.Equal(Links + header, exported.Count(c => c == '\n'));
        await using var other = await LinkTestNode.StartAsync(redis: null);
        Assert.Equal(Links, (await ImportAsync(other, exported, contentType))[^1].GetProperty("created").GetInt32());
        Assert.Equal(exported, await other.Admin.GetStringAsync($"/export-links?format={format}"));
        Assert.Equal(Links, (await ImportAsync(other, exported, contentType))[^1].GetProperty("unchanged").GetInt32());
        Assert.Empty(other.Log.Exceptions);
    }

    [Fact]
    public async Task Links_are_completed_tagged_ranked_and_removed_without_a_trace()
    {
        var text = string.Concat(Enumerable.Range(0, Links).Select(i => $$"""{"slug":"n-{{i}}","target":"https://shop.example/","tags":["bulk","part-{{i % 3}}"]}""" + "\n"));
        await ImportAsync(_node, text, "application/jsonl");
        await _node.CreateAsync(new { slug = "vault", target = LinkTestNode.Target, password = "open sesame", maxVisits = 3 }, "key");
        using (var form = new FormUrlEncodedContent([new("password", "wrong")]))
            Assert.Equal(HttpStatusCode.Forbidden, (await _node.Public.PostAsync("/s/vault", form)).StatusCode);
        for (var i = 0; i < 6; i++)
            await _node.FollowAsync(i < 4 ? "n-2999" : "n-77");

        Assert.Equal(["n-299", "n-2990", "n-2991"], await SlugsAsync("/links?prefix=n-299&limit=3"));
        Assert.Equal(["n-10", "n-100"], await SlugsAsync("/links?prefix=n-10&tag=part-1&limit=2"));
        Assert.Equal(4, await _node.VisitsAsync("n-2999"));
        Assert.Equal(
            """{"period":"all","links":[{"slug":"n-2999","visits":4},{"slug":"n-77","visits":2}]}""", await _node.Admin.GetStringAsync("/top-links?period=all"));
        Assert.NotEmpty(await KeysAsync());

        await Parallel.ForEachAsync(
            Enumerable.Range(0, Links).Select(i => $"n-{i}").Append("vault"), new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (slug, cancellationToken) => Assert.Equal(HttpStatusCode.NoContent, (await _node.Admin.DeleteAsync($"/links/{slug}", cancellationToken)).StatusCode));

        Assert.Empty(await KeysAsync());
        Assert.Equal(HttpStatusCode.NotFound, (await _node.FollowAsync("n-2999")).StatusCode);
    }

    private async Task<List<string>> SlugsAsync(string path) =>
        [.. (await (await _node.Admin.GetAsync(path)).JsonAsync()).GetProperty("links").EnumerateArray().Select(link => link.GetProperty("slug").GetString()!)];

    private async Task<List<string>> KeysAsync()
    {
        var port = _node.Services.GetRequiredService<EmbeddedRedisServer>().Port;
        await using var connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},allowAdmin=true");
        return [.. connection.GetServers()[0].Keys(pattern: "gateway:*link*").Select(key => key.ToString())];
    }

    private static async Task<List<JsonElement>> ImportAsync(GatewayNode node, string text, string contentType)
    {
        using var content = new StringContent(text, Encoding.UTF8, contentType);
        using var answer = await node.Admin.PostAsync("/import-links", content);
        var lines = await answer.Content.ReadAsStringAsync();
        return [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
    }
}
