using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.ShortLinks.Transfer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.IntegrationTests.ShortLinks;

[Collection(RunsAlone.Name)]
public sealed class TransferTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private GatewayNode _node = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _node = await LinkTestNode.StartAsync(_redis);
    }

    public async Task DisposeAsync()
    {
        Assert.Empty(_node.Log.Exceptions);
        await _node.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData("csv", "text/csv")]
    [InlineData("jsonl", "application/jsonl")]
    public async Task What_is_exported_can_be_imported_into_an_empty_gateway(string format, string contentType)
    {
        await _node.CreateAsync(new { slug = "plain", target = LinkTestNode.Target });
        await _node.CreateAsync(new
        {
            slug = "all",
            target = "https://shop.example/?q=\"".Replace("\"", "%22", StringComparison.Ordinal) + "a,b;'",
            status = 308,
            startsAt = "2020-01-01T00:00:00+02:00",
            expiresAt = "2099-01-01T00:00:00.123Z",
            maxVisits = 5,
            tags = new[] { "b", "a" },
            forwardQuery = true,
            expiredTarget = "https://shop.example/over",
            password = "open sesame",
            visits = 4,
        });
        await _node.FollowAsync("plain");
        var export = await _node.Admin.GetAsync($"/export-links?format={format}");
        var text = await export.Content.ReadAsStringAsync();
        Assert.Equal(contentType, export.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("sesame", text, StringComparison.Ordinal);

        await using var redis = await RedisServer.StartAsync();
        await using var other = await LinkTestNode.StartAsync(redis);
        var end = await ImportAsync(other, text, contentType);

        Assert.Equal((2, 0, true), (end.GetProperty("created").GetInt64(), end.GetProperty("rejected").GetInt64(), end.GetProperty("done").GetBoolean()));
        Assert.Equal(text, await other.Admin.GetStringAsync($"/export-links?format={format}"));
        using var form = new FormUrlEncodedContent([new("password", "open sesame")]);
        Assert.Equal(HttpStatusCode.SeeOther, (await other.Public.PostAsync("/s/all?x=1", form)).StatusCode);
        // Four visits came with it, and this was the fifth of five.
        using var again = new FormUrlEncodedContent([new("password", "open sesame")]);
        Assert.Equal("https://shop.example/over", (await other.Public.PostAsync("/s/all", again)).Headers.Location!.OriginalString);
        Assert.Equal(1, await other.VisitsAsync("plain"));
    }

    [Fact]
    public async Task Links_that_are_there_stay_or_are_replaced_as_asked()
    {
        await _node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, tags = new[] { "old" } });
        await _node.FollowAsync("oak");
        const string text = """
            {"slug":"oak","target":"https://shop.example/2","tags":["new"]}
            {"slug":"elm","target":"https://shop.example/elm"}

            {"slug":"elm","target":"https://shop.example/elm"}
            """;

        Assert.Equal("1 created, 1 unchanged, 0 replaced, 1 rejected", Summary(await ImportAsync(_node, text)));
        Assert.Equal(LinkTestNode.Target, (await _node.FollowAsync("oak")).Headers.Location!.OriginalString);
        Assert.Equal("0 created, 2 unchanged, 1 replaced, 0 rejected", Summary(await ImportAsync(_node, text, query: "?replace=true")));
        Assert.Equal("https://shop.example/2", (await _node.FollowAsync("oak")).Headers.Location!.OriginalString);
        Assert.Equal(3, await _node.VisitsAsync("oak"));
        Assert.Contains("\"oak\"", await _node.Admin.GetStringAsync("/links?tag=new"), StringComparison.Ordinal);
        Assert.DoesNotContain("\"oak\"", await _node.Admin.GetStringAsync("/links?tag=old"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_as_spreadsheets_save_it_is_imported()
    {
        const string text = "\ufeffTarget,Slug,Tags,maxVisits\r\n\"https://shop.example/?a=1,2\",oak,\"sale summer\",3\r\nhttps://shop.example/,elm,,\r\n";

        Assert.Equal("2 created, 0 unchanged, 0 replaced, 0 rejected", Summary(await ImportAsync(_node, text, "text/csv")));
        Assert.Equal("https://shop.example/?a=1,2", (await _node.FollowAsync("oak")).Headers.Location!.OriginalString);
        Assert.Contains("\"maxVisits\":3,\"tags\":[\"sale\",\"summer\"]", await _node.Admin.GetStringAsync("/links/oak"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_that_make_no_link_are_named_and_the_others_are_imported()
    {
        const string text = """
            {"slug":"a","target":"https://shop.example/"}
            not json
            {"slug":"b","target":"javascript:alert(1)"}
            {"slug":"c d","target":"https://shop.example/"}
            {"slug":"e","target":"https://shop.example/","colour":"red"}
            []
            {"slug":"g","target":"https://shop.example/","target":"https://shop.example/2"}
            {"slug":"f","target":"https://shop.example/"}
            """;

        var lines = await ImportLinesAsync(_node, text, "application/jsonl");

        Assert.Equal([2L, 3, 4, 5, 6, 7], lines.SkipLast(1).Select(line => line.GetProperty("line").GetInt64()));
        Assert.NotEmpty(lines[1].GetProperty("errors").GetProperty("target")[0].GetString()!);
        Assert.NotEmpty(lines[2].GetProperty("errors").GetProperty("slug")[0].GetString()!);
        Assert.Equal("2 created, 0 unchanged, 0 replaced, 6 rejected", Summary(lines[^1]));
    }

    [Fact]
    public async Task Lines_that_are_no_CSV_change_no_text_and_the_lines_after_them_are_imported()
    {
        const string text = "slug,target\r\na,\"https://shop.example/\"x\r\nb,https://sh\rop.example/\r\nc,https://sh\"op.example/\r\nd,https://shop.example/\r\n";

        var lines = await ImportLinesAsync(_node, text, "text/csv");

        Assert.Equal([2L, 3, 4], lines.SkipLast(1).Select(line => line.GetProperty("line").GetInt64()));
        Assert.Equal("1 created, 0 unchanged, 0 replaced, 3 rejected", Summary(lines[^1]));
        Assert.Equal(HttpStatusCode.Found, (await _node.FollowAsync("d")).StatusCode);
    }

    [Theory]
    [InlineData("text/csv", "slug,colour\n")]
    [InlineData("text/csv", "slug,target\n\"a,https://shop.example/\n")]
    [InlineData("application/jsonl", "long")]
    [InlineData("application/jsonl", "\u00ff")]
    public async Task A_text_that_cannot_be_read_to_its_end_is_said_not_to_be(string contentType, string text)
    {
        text = text == "long" ? $"{{\"target\":\"{new string('a', 20_000)}\"}}" : text;

        var end = (await ImportLinesAsync(_node, text, contentType, encoding: Encoding.Latin1))[^1];

        Assert.False(end.GetProperty("done").GetBoolean());
        Assert.NotEmpty(end.GetProperty("problem").GetString()!);
    }

    [Fact]
    public async Task An_import_tells_other_nodes_once_per_batch_and_they_find_its_links()
    {
        await using var other = await LinkTestNode.StartAsync(_redis);
        Assert.Equal(HttpStatusCode.NotFound, (await other.FollowAsync("n-500")).StatusCode);
        await using var connection = await _redis.ConnectAsync();
        var before = await connection.GetDatabase().SortedSetLengthAsync("gateway:{changes}:selectors");

        var end = await ImportAsync(_node, string.Concat(Enumerable.Range(0, 5000).Select(Line)));

        Assert.Equal("5000 created, 0 unchanged, 0 replaced, 0 rejected", Summary(end));
        await Eventually.TrueAsync(async () => (await other.FollowAsync("n-500")).StatusCode == HttpStatusCode.Found, "the other node finds the link", TimeSpan.FromSeconds(2));
        Assert.Equal(before + 1, await connection.GetDatabase().SortedSetLengthAsync("gateway:{changes}:selectors"));
        Assert.Equal(5000, (await other.Admin.GetStringAsync("/export-links")).Count(c => c == '\n'));
    }

    [Fact]
    public async Task An_import_and_an_export_take_constant_memory_and_a_prefix_is_completed_quickly()
    {
        const int links = 40_000;
        using var content = new LinesContent(links);
        using var answer = await _node.Admin.PostAsync("/import-links", content);
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains($"\"created\":{links}", lines[^1], StringComparison.Ordinal);

        var times = new List<double>();
        for (var i = 0; i < 50; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var page = await _node.Admin.GetStringAsync($"/links?prefix=n-{i + 100}&limit=10");
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            Assert.Contains($"\"n-{i + 100}\"", page, StringComparison.Ordinal);
        }

        // 5 ms on a quiet machine (the bench says so); tests share theirs.
        Assert.InRange(times.Order().ElementAt(25), 0, 50);

        // Each page is held, and no more: what grows is less than the text that passes through.
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var export = await _node.Admin.GetAsync("/export-links?format=csv", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await export.Content.ReadAsStreamAsync();
        var (buffer, size) = (new byte[64 << 10], 0L);
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
            size += read;
        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(size > 2_000_000 && growth < size / 2, $"{growth} bytes more after {size} bytes");
    }

    [Fact]
    public async Task An_import_goes_on_when_redis_comes_back()
    {
        await using var link = SlowLink.To(_redis.Port);
        await using var node = await GatewayNode.StartAsync(
            new { ShortLinks = new { Enabled = true }, Redis = new { Configuration = link.ConnectionString, Deadline = "00:00:05" } });
        using var content = new LinesContent(3000, afterLine: 1500, async () =>
        {
            link.Break();
            await Task.Yield();
        });

        using var answer = await node.Admin.PostAsync("/import-links", content);
        var end = Parse(await answer.Content.ReadAsStringAsync())[^1];

        Assert.True(end.GetProperty("done").GetBoolean());
        Assert.Equal(3000, end.GetProperty("created").GetInt64() + end.GetProperty("unchanged").GetInt64());
        Assert.Equal(3000, (await _node.Admin.GetStringAsync("/export-links")).Count(c => c == '\n'));
    }

    [Fact]
    public async Task An_export_that_redis_breaks_off_does_not_look_whole()
    {
        await ImportAsync(_node, string.Concat(Enumerable.Range(0, 2000).Select(Line)));
        var time = new FakeTimeProvider();
        await using var link = SlowLink.To(_redis.Port);
        await using var node = await GatewayNode.StartAsync(
            new { ShortLinks = new { Enabled = true }, Redis = new { Configuration = link.ConnectionString, Deadline = "00:00:05" } },
            configure: builder => builder.Services.Replace(
                ServiceDescriptor.Singleton(provider => ActivatorUtilities.CreateInstance<LinkExport>(provider, time))));
        // Ten pages take a second and more.
        link.Delay = TimeSpan.FromMilliseconds(100);
        using var export = await node.Admin.GetAsync("/export-links", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, export.StatusCode);
        var reading = export.Content.ReadAsStringAsync();

        link.IsDown = true;
        link.Break();
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(500));
                return reading.IsCompleted;
            },
            "the export gives up");

        await Assert.ThrowsAsync<HttpRequestException>(() => reading);
    }

    private static string Line(int i) => $$"""{"slug":"n-{{i}}","target":"https://shop.example/catalog/{{i}}","tags":["bulk"]}""" + "\n";

    private static string Summary(JsonElement end) =>
        $"{end.GetProperty("created")} created, {end.GetProperty("unchanged")} unchanged, {end.GetProperty("replaced")} replaced, {end.GetProperty("rejected")} rejected";

    private static async Task<JsonElement> ImportAsync(GatewayNode node, string text, string contentType = "application/jsonl", string query = "") =>
        (await ImportLinesAsync(node, text, contentType, query))[^1];

    private static async Task<List<JsonElement>> ImportLinesAsync(
        GatewayNode node, string text, string contentType, string query = "", Encoding? encoding = null)
    {
        using var content = new ByteArrayContent((encoding ?? Encoding.UTF8).GetBytes(text));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var answer = await node.Admin.PostAsync($"/import-links{query}", content);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return Parse(await answer.Content.ReadAsStringAsync());
    }

    private static List<JsonElement> Parse(string lines) =>
        [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];

    /// <summary>Links that are written while they are sent.</summary>
    private sealed class LinesContent : HttpContent
    {
        private readonly int _links;
        private readonly int _afterLine;
        private readonly Func<Task>? _then;

        public LinesContent(int links, int afterLine = -1, Func<Task>? then = null)
        {
            (_links, _afterLine, _then) = (links, afterLine, then);
            Headers.ContentType = new("application/jsonl");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (var i = 0; i < _links; i++)
            {
                if (i == _afterLine)
                    await _then!();
                await stream.WriteAsync(Encoding.UTF8.GetBytes(Line(i)));
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
