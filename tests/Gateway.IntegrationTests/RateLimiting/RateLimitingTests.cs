using System.Net;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class RateLimitingTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private TestOrigin _origin = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _origin = (await TestOrigin.StartAsync()).Map("/x", "body").Map("/cached", "body", ("Cache-Control", "max-age=60"));
    }

    public async Task DisposeAsync()
    {
        await _origin.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task The_limit_holds_over_all_nodes_to_the_request()
    {
        await using var a = await StartAsync(Limit("one", 100));
        await using var b = await StartAsync(Limit("one", 100));

        var statuses = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => StatusAsync(i % 2 == 0 ? a : b, "/x")));

        Assert.Equal(100, statuses.Count(status => status == HttpStatusCode.OK));
        Assert.Equal(300, statuses.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(100, _origin.Count("/x"));
    }

    [Fact]
    public async Task A_rejected_client_learns_which_limit_it_met_and_when_to_come_back()
    {
        await using var node = await StartAsync(Limit("minute", 1, "00:01:00"), Limit("hour", 50, "01:00:00"));

        using var admitted = await node.Public.GetAsync("/x");
        using var rejected = await node.Public.GetAsync("/x");

        // draft-ietf-httpapi-ratelimit-headers-10 §3, §4
        Assert.Equal("\"minute\";q=1;w=60, \"hour\";q=50;w=3600", Field(admitted, "RateLimit-Policy"));
        Assert.Matches("^\"minute\";r=0;t=60, \"hour\";r=49;t=3600$", Field(admitted, "RateLimit"));
        Assert.Equal(HttpStatusCode.TooManyRequests, rejected.StatusCode);
        Assert.InRange(rejected.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(60));
        Assert.Equal("application/problem+json", rejected.Content.Headers.ContentType?.MediaType);
        Assert.True(rejected.Headers.CacheControl!.NoStore);
        using var problem = JsonDocument.Parse(await rejected.Content.ReadAsStringAsync());
        Assert.Equal("https://iana.org/assignments/http-problem-types#quota-exceeded", problem.RootElement.GetProperty("type").GetString());
        Assert.Equal("minute", Assert.Single(problem.RootElement.GetProperty("violated-policies").EnumerateArray()).GetString());
    }

    [Fact]
    public async Task A_request_that_one_limit_rejects_is_charged_to_none()
    {
        await using var node = await StartAsync(Limit("small", 2), Limit("large", 100));

        for (var i = 0; i < 2; i++)
            await StatusAsync(node, "/x");
        using (var first = await node.SendAsync("/x"))
        {
            // Redis told of both; from memory only the limit that was met is known.
            Assert.Contains("\"large\";r=98", first.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
            Assert.Contains("\"small\";r=0", first.Headers.GetValues("RateLimit").Single(), StringComparison.Ordinal);
        }

        for (var i = 0; i < 3; i++)
            await StatusAsync(node, "/x");

        Assert.Equal(2, (long)(await CounterAsync("large")).Value);
    }

    [Fact]
    public async Task Answers_from_the_cache_count()
    {
        await using var node = await StartAsync(Limit("one", 3));

        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 5; i++)
            statuses.Add(await StatusAsync(node, "/cached"));

        Assert.Equal([200, 200, 200, 429, 429], statuses.Select(status => (int)status));
        Assert.Equal(1, _origin.Count("/cached"));
    }

    [Fact]
    public async Task An_answer_from_the_cache_tells_each_client_its_own_limit()
    {
        await using var node = await StartAsync(new { Name = "key", PermitLimit = 5, Window = "01:00:00", By = new[] { "Header:X-Key" } });

        foreach (var (client, left) in new[] { ("a", 4), ("a", 3), ("b", 4), ("a", 2), ("b", 3) })
        {
            using var response = await node.SendAsync("/cached", ("X-Key", client));
            Assert.StartsWith($"\"key\";r={left};t=", Field(response, "RateLimit"), StringComparison.Ordinal);
            Assert.Equal("\"key\";q=5;w=3600", Field(response, "RateLimit-Policy"));
        }

        Assert.Equal(1, _origin.Count("/cached"));
    }

    [Fact]
    public async Task Fields_of_an_origin_that_limits_too_stand_beside_the_gateways_and_its_legacy_fields_do_not()
    {
        _origin.Map("/cached", "body", ("Cache-Control", "max-age=60"), ("RateLimit", "\"origin\";r=3;t=9"), ("X-RateLimit-Limit", "77"), ("X-RateLimit-Remaining", "76"));
        await using var node = await GatewayNode.StartAsync(
            new
            {
                ReverseProxy = _origin.ProxySection(("RateLimiterPolicy", "api"), ("OutputCachePolicy", "origin")),
                RateLimiter = new { Policies = new { api = new { LegacyFields = true, Limits = new[] { Limit("one", 5) } } } },
                Redis = new { Deadline = "00:00:02" },
            },
            _redis.ConnectionString);

        // From the origin, then from the cache.
        foreach (var left in new[] { "4", "3" })
        {
            using var response = await node.SendAsync("/cached");
            Assert.StartsWith($"\"one\";r={left};t=", Field(response, "RateLimit"), StringComparison.Ordinal);
            Assert.Equal("5", Field(response, "X-RateLimit-Limit"));
            Assert.Equal(left, Field(response, "X-RateLimit-Remaining"));
        }

        Assert.Equal(1, _origin.Count("/cached"));
    }

    [Fact]
    public async Task Fields_are_lists_of_strings_with_parameters_whatever_the_limits_and_the_answer()
    {
        await using var node = await StartAsync(
            new { Name = "fixed.1", PermitLimit = 3, Window = "00:00:00.900", WhenRedisIsDown = "Local" },
            new { Name = "sliding_2", Algorithm = "SlidingWindow", PermitLimit = 1_000_000_000, Window = "366.00:00:00" },
            new { Name = "bucket-3", Algorithm = "TokenBucket", PermitLimit = 2, TokensPerPeriod = 1, ReplenishmentPeriod = "366.00:00:00" },
            new { Name = "running", Algorithm = "Concurrency", PermitLimit = 4 },
            new { Name = "hidden", PermitLimit = 1, Window = "01:00:00", Shadow = true });

        // Admitted, refused by Redis, refused from memory.
        for (var i = 0; i < 4; i++)
        {
            using var response = await node.SendAsync("/x");
            foreach (var field in new[] { "RateLimit", "RateLimit-Policy" })
            {
                // RFC 9651 §3.1, §3.1.2, §3.3.1: an Integer has at most 15 digits.
                Assert.Matches("""^"[ !#-\[\]-~]+"(;[a-z*][a-z0-9_.*-]*=([0-9]{1,15}|"[ !#-\[\]-~]*"))+(, "[ !#-\[\]-~]+"(;[a-z*][a-z0-9_.*-]*=([0-9]{1,15}|"[ !#-\[\]-~]*"))+)*$""", Field(response, field));
                Assert.DoesNotContain("hidden", Field(response, field), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task When_the_window_ends_requests_pass_again()
    {
        await using var node = await StartAsync(Limit("one", 1, "00:00:00.300"));

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(node, "/x"));
        await Eventually.TrueAsync(async () => await StatusAsync(node, "/x") == HttpStatusCode.OK, "the next window admits");
        Assert.Equal(2, _origin.Count("/x"));
    }

    [Fact]
    public async Task Clients_are_told_apart_by_what_the_limit_names_and_by_address_without_it()
    {
        await using var node = await StartAsync(new { Name = "key", PermitLimit = 1, Window = "00:01:00", By = new[] { "Header:X-Key" } });

        Assert.Equal(200, (int)await StatusAsync(node, "/x", ("X-Key", "a")));
        Assert.Equal(200, (int)await StatusAsync(node, "/x", ("X-Key", "b")));
        Assert.Equal(429, (int)await StatusAsync(node, "/x", ("X-Key", "a")));
        Assert.Equal(200, (int)await StatusAsync(node, "/x"));
        Assert.Equal(429, (int)await StatusAsync(node, "/x"));
    }

    [Fact]
    public async Task A_forwarded_address_of_an_untrusted_client_is_not_believed()
    {
        await using var node = await StartAsync(Limit("one", 1));

        Assert.Equal(200, (int)await StatusAsync(node, "/x", ("X-Forwarded-For", "10.0.0.1")));
        Assert.Equal(429, (int)await StatusAsync(node, "/x", ("X-Forwarded-For", "10.0.0.2")));
    }

    [Fact]
    public async Task A_reload_that_raises_the_limit_admits_at_once()
    {
        await using var node = await StartAsync(Limit("one", 1));
        await StatusAsync(node, "/x");
        Assert.Equal(429, (int)await StatusAsync(node, "/x"));

        await node.ReloadAsync(Config(Limit("one", 3)));

        Assert.Equal(200, (int)await StatusAsync(node, "/x"));
        Assert.Equal(200, (int)await StatusAsync(node, "/x"));
        Assert.Equal(429, (int)await StatusAsync(node, "/x"));
    }

    [Fact]
    public async Task Counters_always_end_even_one_that_lost_its_expiry()
    {
        await using var node = await StartAsync(Limit("one", 5));
        await StatusAsync(node, "/x");
        var (key, _) = await CounterAsync("one");
        await using var connection = await _redis.ConnectAsync();
        var database = connection.GetDatabase();
        Assert.NotNull(await database.KeyTimeToLiveAsync(key));

        await database.KeyPersistAsync(key);
        await StatusAsync(node, "/x");

        Assert.InRange((await database.KeyTimeToLiveAsync(key))!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Addresses_and_keys_are_not_readable_in_Redis()
    {
        await using var node = await StartAsync(new { Name = "key", PermitLimit = 5, Window = "00:01:00", By = new[] { "Header:X-Key", "ClientIp" } });
        await StatusAsync(node, "/x", ("X-Key", "secret-key"));

        var (key, _) = await CounterAsync("key");
        Assert.DoesNotContain("secret-key", key.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", key.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Allow", 200)]
    [InlineData("Deny", 503)]
    public async Task Without_Redis_the_limit_does_what_it_says(string whenRedisIsDown, int status)
    {
        await using var node = await StartAsync(new { Name = "one", PermitLimit = 1, Window = "00:01:00", WhenRedisIsDown = whenRedisIsDown });
        Assert.Equal(200, (int)await StatusAsync(node, "/x"));
        await _redis.KillAsync();

        using var response = await node.SendAsync("/cached");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(status == 503, response.Headers.RetryAfter is not null);
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task The_script_runs_on_the_embedded_server_too()
    {
        await using var node = await GatewayNode.StartAsync(Config(Limit("one", 10)));

        var statuses = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => StatusAsync(node, "/x")));

        Assert.Equal(10, statuses.Count(status => status == HttpStatusCode.OK));
    }

    private static object Limit(string name, int permits, string window = "00:01:00") =>
        new { Name = name, PermitLimit = permits, Window = window, By = new[] { "ClientIp" } };

    private static string Field(HttpResponseMessage response, string name) => string.Join(", ", response.Headers.GetValues(name));

    private static async Task<HttpStatusCode> StatusAsync(GatewayNode node, string path, params (string Name, string Value)[] fields)
    {
        using var response = await node.SendAsync(path, fields);
        return response.StatusCode;
    }

    private Task<GatewayNode> StartAsync(params object[] limits) => GatewayNode.StartAsync(Config(limits), _redis.ConnectionString);

    private object Config(params object[] limits) => new
    {
        ReverseProxy = _origin.ProxySection(("RateLimiterPolicy", "api"), ("OutputCachePolicy", "origin")),
        RateLimiter = new { Policies = new { api = new { Limits = limits } } },
        Redis = new { Deadline = "00:00:02" },
    };

    private async Task<(RedisKey Key, RedisValue Value)> CounterAsync(string limit)
    {
        await using var connection = await _redis.ConnectAsync();
        var key = connection.GetServers()[0].Keys(pattern: $"gateway:limit:*:{limit}").Single();
        return (key, await connection.GetDatabase().StringGetAsync(key));
    }
}

internal static class RateLimitedRequests
{
    public static async Task<HttpResponseMessage> SendAsync(this GatewayNode node, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await node.Public.SendAsync(request);
    }
}
