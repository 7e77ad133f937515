using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class AdminTests : LimitedNodes
{
    private static readonly object PerKey = new { Name = "key", PermitLimit = 2, Window = "01:00:00", By = new[] { "Header:X-Key" } };
    private static readonly object PerAddress = new { Name = "one", PermitLimit = 2, Window = "01:00:00", By = new[] { "ClientIp" } };

    [Fact]
    public async Task A_denied_client_is_refused_by_every_node_until_the_entry_is_removed()
    {
        var (a, b) = (await StartAsync(PerKey), await StartAsync(PerKey));

        var id = await AddAsync(a, new { list = "deny", policy = "api", by = "Header:X-Key", value = "secret-key", note = "ticket 7" });
        Assert.Equal(403, await StatusAsync(a, ("X-Key", "secret-key")));
        await Eventually.TrueAsync(async () => await StatusAsync(b, ("X-Key", "secret-key")) == 403, "the other node knows");
        Assert.Equal(200, await StatusAsync(b, ("X-Key", "other")));

        using var deleted = await b.Admin.DeleteAsync(new Uri($"/rate-limits/lists/{id}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(200, await StatusAsync(b, ("X-Key", "secret-key")));
        await Eventually.TrueAsync(async () => await StatusAsync(a, ("X-Key", "secret-key")) != 403, "the other node knows");
    }

    [Theory]
    [InlineData("X-Key: denied\r\nX-Key: b")]
    [InlineData("X-Key: b\r\nX-Key: denied")]
    [InlineData("X-Key: denied\r\nX-Key:")]
    public async Task A_second_line_of_a_field_hides_no_denied_client(string fields)
    {
        var node = await StartAsync(PerKey);
        await AddAsync(node, new { list = "deny", policy = "api", by = "Header:X-Key", value = "denied" });

        Assert.StartsWith("HTTP/1.1 403 ", await node.RawGetAsync("/x", fields + "\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_lines_of_a_field_are_no_allowed_client_and_count_by_its_address()
    {
        var node = await StartAsync(PerKey);
        await AddAsync(node, new { list = "allow", policy = "api", by = "Header:X-Key", value = "allowed" });

        foreach (var status in new[] { 200, 200, 429 })
            Assert.StartsWith($"HTTP/1.1 {status} ", await node.RawGetAsync("/x", $"X-Key: allowed\r\nX-Key: {Guid.NewGuid()}\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_allowed_client_passes_uncounted_even_one_that_was_blocked()
    {
        var node = await StartAsync(PerAddress);
        Assert.Equal(2, await CountAdmittedAsync([node], 4, 1));

        await AddAsync(node, new { list = "allow", policy = "API", by = "clientip", value = "127.0.0.1" });

        Assert.Equal(5, await CountAdmittedAsync([node], 5, 1));
        var used = await UsedAsync(node, new { ClientIp = "127.0.0.1" });
        Assert.Equal([2], used);
    }

    [Theory]
    [InlineData("allow", "deny")]
    [InlineData("deny", "allow")]
    public async Task A_client_on_both_lists_is_denied(string ofAddress, string ofKey)
    {
        var node = await StartAsync(PerAddress);

        await AddAsync(node, new { list = ofAddress, policy = "api", by = "ClientIp", value = "127.0.0.1" });
        await AddAsync(node, new { list = ofKey, policy = "api", by = "Header:X-Key", value = "a" });

        Assert.Equal(403, await StatusAsync(node, ("X-Key", "a")));
    }

    [Fact]
    public async Task A_change_of_the_lists_forgets_who_was_refused()
    {
        var node = await StartAsync(PerAddress);
        Assert.Equal(2, await CountAdmittedAsync([node], 3, 1));
        await using (var connection = await Redis.ConnectAsync())
            await connection.GetDatabase().KeyDeleteAsync((await CounterKeysAsync())[0]);
        Assert.Equal(429, await StatusAsync(node));

        await AddAsync(node, new { list = "deny", policy = "api", by = "ClientIp", value = "192.0.2.1" });

        Assert.Equal(200, await StatusAsync(node));
    }

    [Fact]
    public async Task An_entry_ends_when_it_says()
    {
        var node = await StartAsync(PerAddress);

        await AddAsync(node, new { list = "deny", policy = "api", by = "ClientIp", value = "127.0.0.1", seconds = 1 });

        Assert.Equal(403, await StatusAsync(node));
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "the entry ends");
        var list = await node.Admin.GetFromJsonAsync<JsonElement>("/rate-limits/lists");
        Assert.Equal(0, list.GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task An_allowed_client_is_counted_again_when_its_entry_ends()
    {
        var node = await StartAsync(PerAddress);
        Assert.Equal(2, await CountAdmittedAsync([node], 3, 1));

        await AddAsync(node, new { list = "allow", policy = "api", by = "ClientIp", value = "127.0.0.1", seconds = 1 });

        Assert.Equal(200, await StatusAsync(node));
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 429, "the entry ends");
    }

    [Fact]
    public async Task Lists_hold_without_Redis_are_put_back_into_an_empty_one_and_name_nobody()
    {
        var (node, other) = (await StartAsync(PerKey), await StartAsync(PerKey));
        var id = await AddAsync(node, new { list = "deny", policy = "api", by = "Header:X-Key", value = "secret-key" });
        await Eventually.TrueAsync(async () => await StatusAsync(other, ("X-Key", "secret-key")) == 403, "the other node knows");

        await Redis.KillAsync();
        Assert.Equal(403, await StatusAsync(node, ("X-Key", "secret-key")));
        await Redis.RestartAsync();

        await using var connection = await Redis.ConnectAsync();
        await Eventually.TrueAsync(async () => await connection.GetDatabase().HashLengthAsync("gateway:limit-lists") == 2, "the entry is put back");
        var stored = string.Concat(await connection.GetDatabase().HashGetAllAsync("gateway:limit-lists"));
        Assert.DoesNotContain("secret-key", stored, StringComparison.Ordinal);
        Assert.Equal(403, await StatusAsync(node, ("X-Key", "secret-key")));
        Assert.Equal(403, await StatusAsync(other, ("X-Key", "secret-key")));
        var fresh = await StartAsync(PerKey);
        Assert.Equal(403, await StatusAsync(fresh, ("X-Key", "secret-key")));

        // Lost once more, and changed before any node has looked: what nodes know goes back first.
        await connection.GetDatabase().KeyDeleteAsync("gateway:limit-lists");
        using var deleted = await fresh.Admin.DeleteAsync(new Uri($"/rate-limits/lists/{id}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        await Eventually.TrueAsync(async () => await StatusAsync(other, ("X-Key", "secret-key")) != 403, "the entry ends everywhere");
    }

    [Fact]
    public async Task A_reset_lets_a_blocked_client_pass_on_every_node()
    {
        var (a, b) = (await StartAsync(PerKey), await StartAsync(PerKey));
        Assert.Equal(2, await CountAdmittedAsync([a, b], 8, 2, ("X-Key", "k")));

        using var reset = await a.Admin.PostAsJsonAsync("/rate-limits/reset", new { policy = "api", identity = new Dictionary<string, string> { ["Header:X-Key"] = "k" } });
        Assert.Equal(HttpStatusCode.NoContent, reset.StatusCode);

        await Eventually.TrueAsync(async () => await StatusAsync(b, ("X-Key", "k")) == 200, "the other node forgot the client");
        Assert.Equal(1, await CountAdmittedAsync([a], 4, 1, ("X-Key", "k")));
    }

    [Fact]
    public async Task The_counters_of_a_client_are_told_and_reading_counts_nothing()
    {
        var node = await StartAsync(PerKey, new { Name = "bucket", Algorithm = "TokenBucket", PermitLimit = 9, ReplenishmentPeriod = "30.00:00:00", By = new[] { "Header:X-Key" } });
        await StatusAsync(node, ("X-Key", "k"));
        var identity = new Dictionary<string, string> { ["Header:x-key"] = "k" };

        for (var i = 0; i < 3; i++)
        {
            var used = await UsedAsync(node, identity);
            Assert.Equal([1, 1], used);
        }

        var other = await UsedAsync(node, new Dictionary<string, string> { ["Header:X-Key"] = "never seen" });
        Assert.Equal([0, 0], other);
        Assert.Equal(2, (await CounterKeysAsync()).Length);
    }

    [Fact]
    public async Task The_clients_rejected_most_are_ranked_over_all_nodes()
    {
        var (a, b) = (await StartAsync(PerKey), await StartAsync(PerKey));
        await CountAdmittedAsync([a, b], 12, 2, ("X-Key", "loud"));
        await CountAdmittedAsync([a], 3, 1, ("X-Key", "quiet"));

        await Eventually.TrueAsync(async () =>
        {
            var ranked = await a.Admin.GetFromJsonAsync<JsonElement>("/rate-limits/most-limited?limit=5");
            var rejections = ranked.GetProperty("clients").EnumerateArray().Select(client => client.GetProperty("rejections").GetInt64()).ToArray();
            return rejections is [10, 1];
        }, "both nodes' rejections are ranked");
        await using var connection = await Redis.ConnectAsync();
        var key = connection.GetServers()[0].Keys(pattern: "gateway:limited:*").First();
        Assert.NotNull(await connection.GetDatabase().KeyTimeToLiveAsync(key));
    }

    [Theory]
    [InlineData("/rate-limits/lists", "{}", "list")]
    [InlineData("/rate-limits/lists", "{\"list\":\"1\",\"policy\":\"none\",\"by\":\"Colour\",\"value\":\"x\"}", "policy")]
    [InlineData("/rate-limits/lists", "{\"list\":\"deny\",\"policy\":\"api\",\"by\":\"ClientIp\",\"value\":\"no address\"}", "by")]
    [InlineData("/rate-limits/lists", "{\"list\":\"deny\",\"policy\":\"api\",\"by\":\"ClientIp,Route\",\"value\":\"192.0.2.1\"}", "by")]
    [InlineData("/rate-limits/lists", "{\"list\":\"allow,deny\",\"policy\":\"api\",\"by\":\"ClientIp\",\"value\":\"192.0.2.1\"}", "list")]
    [InlineData("/rate-limits/lists", "{\"list\":\"deny\",\"policy\":\"api\",\"by\":\"ClientIp\",\"value\":\"192.0.2.1\",\"seconds\":0}", "seconds")]
    [InlineData("/rate-limits/counters", "{}", "policy")]
    [InlineData("/rate-limits/counters", "{\"policy\":\"api\"}", "identity")]
    [InlineData("/rate-limits/reset", "{\"policy\":\"api\",\"identity\":{\"Colour\":\"x\"}}", "identity.Colour")]
    [InlineData("/rate-limits/reset", "{\"policy\":\"api\",\"identity\":{\"ClientIp\":null}}", "identity.ClientIp")]
    public async Task Bad_input_is_named(string path, string body, string member)
    {
        var node = await StartAsync(PerKey);

        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await node.Admin.PostAsync(new Uri(path, UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var errors = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors");
        Assert.True(errors.TryGetProperty(member, out _), errors.ToString());
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("/rate-limits/most-limited?hour=never", 400)]
    [InlineData("/rate-limits/most-limited?limit=0", 400)]
    [InlineData("/rate-limits/most-limited?hour=last", 200)]
    public async Task The_ranking_checks_what_it_is_asked(string path, int status)
    {
        var node = await StartAsync(PerKey);
        using var response = await node.Admin.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(status, (int)response.StatusCode);
    }

    private static async Task<string> AddAsync(GatewayNode node, object entry)
    {
        using var response = await node.Admin.PostAsJsonAsync("/rate-limits/lists", entry);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }
}
