using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>Imports and exports that do not go as planned, on Redis and on the embedded server.</summary>
public sealed class ImportFaultTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_hangs_up_in_the_middle_of_an_import_leaves_what_was_imported_and_no_error(bool hasRedis)
    {
        await using var redis = hasRedis ? await RedisServer.StartAsync() : null;
        await using var node = await LinkTestNode.StartAsync(redis);
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(node.AdminAddress.Host, node.AdminAddress.Port);
            var lines = "slug,target\n" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"n-{i},https://shop.example/{i}\n"));
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /import-links HTTP/1.1\r\nHost: {node.AdminAddress.Authority}\r\nContent-Type: text/csv\r\nContent-Length: 100000000\r\n\r\n{lines}half,https://shop.exam"));
            await Eventually.TrueAsync(async () => await CountAsync(node) >= 600, "whole batches are imported");
        }

        Assert.InRange(await CountAsync(node), 600, 1000);
        // Half a line can look like a link.
        Assert.Equal(HttpStatusCode.NotFound, (await node.Admin.GetAsync("/links/half")).StatusCode);
        using var again = new StringContent("""{"slug":"n-0","target":"https://shop.example/0"}""", Encoding.UTF8, "application/jsonl");
        Assert.Contains("\"unchanged\":1", await (await node.Admin.PostAsync("/import-links", again)).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(node.Log.Events, logged => logged.Exception is not null || logged.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_hangs_up_in_the_middle_of_an_export_is_no_error(bool hasRedis)
    {
        await using var redis = hasRedis ? await RedisServer.StartAsync() : null;
        await using var node = await LinkTestNode.StartAsync(redis);
        var lines = string.Concat(Enumerable.Range(0, 5000).Select(i => $$"""{"slug":"n-{{i}}","target":"https://shop.example/{{new string('a', 1000)}}"}""" + "\n"));
        using var content = new StringContent(lines, Encoding.UTF8, "application/jsonl");
        await node.Admin.PostAsync("/import-links", content);
        for (var i = 0; i < 5; i++)
        {
            using var answer = await node.Admin.GetAsync("/export-links", HttpCompletionOption.ResponseHeadersRead);
            await using var body = await answer.Content.ReadAsStreamAsync();
            Assert.True(await body.ReadAsync(new byte[100]) > 0);
        }

        Assert.Equal(5000, (await node.Admin.GetStringAsync("/export-links")).Count(c => c == '\n'));
        Assert.DoesNotContain(node.Log.Events, logged => logged.Exception is not null || logged.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task A_line_without_a_slug_never_replaces_a_link_whose_slug_was_generated_before()
    {
        const int links = 4000;
        await using var redis = await RedisServer.StartAsync();
        // Of 31^4 slugs: among so many links some are generated twice.
        await using var node = await LinkTestNode.StartAsync(redis, new { Enabled = true, CaseSensitive = false, GeneratedLength = 4 });
        for (var round = 1; round <= 2; round++)
        {
            var lines = string.Concat(Enumerable.Range(0, links).Select(i => $$"""{"target":"https://shop.example/{{round}}/{{i}}"}""" + "\n"));
            using var content = new StringContent(lines, Encoding.UTF8, "application/jsonl");
            var end = (await (await node.Admin.PostAsync("/import-links?replace=true", content)).Content.ReadAsStringAsync()).Trim().Split('\n')[^1];
            Assert.Contains($"\"created\":{links},\"unchanged\":0,\"replaced\":0,\"rejected\":0", end, StringComparison.Ordinal);
        }

        var targets = (await node.Admin.GetStringAsync("/export-links")).Trim().Split('\n')
            .Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("target").GetString()).ToHashSet();
        Assert.Equal(2 * links, targets.Count);
    }

    [Fact]
    public async Task An_import_that_ends_in_bad_lines_says_how_far_it_came()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await LinkTestNode.StartAsync(redis);
        using var content = new StringContent("{\"slug\":\"oak\",\"target\":\"https://shop.example/\"}\n" + string.Concat(Enumerable.Repeat("{\"target\":1}\n", 500)), Encoding.UTF8, "application/jsonl");

        var lines = (await (await node.Admin.PostAsync("/import-links", content)).Content.ReadAsStringAsync()).Trim().Split('\n');

        Assert.InRange(lines.Length, 101, 110);
        Assert.Contains("{\"line\":501,\"created\":1,\"unchanged\":0,\"replaced\":0,\"rejected\":500,\"done\":true", lines[^1], StringComparison.Ordinal);
    }

    private static async Task<int> CountAsync(GatewayNode node) => (await node.Admin.GetStringAsync("/export-links")).Count(c => c == '\n');
}
