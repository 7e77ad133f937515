using System.Net.Http.Json;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class IdentityTests : LimitedNodes
{
    [Fact]
    public async Task Of_X_Forwarded_For_only_what_the_trusted_proxy_appended_is_believed()
    {
        var config = Config(new { Name = "one", PermitLimit = 2, Window = "01:00:00", By = new[] { "ClientIp" } });
        config["ForwardedHeaders"] = new { KnownProxies = new[] { "127.0.0.1" } };
        var node = await StartWithAsync(config);

        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "198.51.100.1, 192.0.2.1")));
        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "198.51.100.2, 192.0.2.1")));
        Assert.Equal(429, await StatusAsync(node, ("X-Forwarded-For", "198.51.100.3, 192.0.2.1")));
        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "192.0.2.1, 198.51.100.1")));
    }

    [Fact]
    public async Task Addresses_of_one_IPv6_network_are_one_client()
    {
        var config = Config(new { Name = "one", PermitLimit = 2, Window = "01:00:00", By = new[] { "ClientIp" } });
        config["ForwardedHeaders"] = new { KnownProxies = new[] { "127.0.0.1" } };
        var node = await StartWithAsync(config);

        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "2001:db8:1:1::1")));
        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "2001:db8:1:1:ffff::2")));
        Assert.Equal(429, await StatusAsync(node, ("X-Forwarded-For", "2001:db8:1:1::3")));
        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "2001:db8:1:2::1")));
    }

    [Fact]
    public async Task Two_policies_count_the_same_client_apart()
    {
        object Route(string path, string policy) => new { ClusterId = "origin", Match = new { Path = path }, RateLimiterPolicy = policy };
        object Policy(int permits) => new { Limits = new[] { new { Name = "one", PermitLimit = permits, Window = "01:00:00", By = new[] { "ClientIp" } } } };
        Origin.Map("/a", "a").Map("/b", "b");
        var node = await StartWithAsync(new
        {
            ReverseProxy = new
            {
                Routes = new { a = Route("/a", "first"), b = Route("/b", "second") },
                Clusters = new { origin = new { Destinations = new { one = new { Origin.Address } } } },
            },
            RateLimiter = new { Policies = new { first = Policy(1), second = Policy(2) } },
            Redis = new { Deadline = "00:00:02" },
        });

        var statuses = new List<int>();
        foreach (var path in new[] { "/a", "/b", "/a", "/b", "/b" })
        {
            using var response = await node.SendAsync(path);
            statuses.Add((int)response.StatusCode);
        }

        Assert.Equal([200, 200, 429, 200, 429], statuses);
    }

    [Fact]
    public async Task A_policy_of_several_identities_charges_all_of_them_or_none()
    {
        var node = await StartAsync(
            new { Name = "key", PermitLimit = 3, Window = "01:00:00", By = new[] { "Header:X-Key" } },
            new { Name = "cookie", PermitLimit = 4, Window = "01:00:00", By = new[] { "Cookie:user", "Host" } });

        Assert.Equal(3, await CountAdmittedAsync([node], 6, 1, ("X-Key", "a"), ("Cookie", "user=u")));
        Assert.Equal(1, await CountAdmittedAsync([node], 6, 1, ("X-Key", "b"), ("Cookie", "user=u")));
        Assert.Equal(2, await CountAdmittedAsync([node], 6, 1, ("X-Key", "b"), ("Cookie", "user=v")));
        var used = await UsedAsync(node, new Dictionary<string, string> { ["Header:X-Key"] = "b", ["Cookie:user"] = "u", ["Host"] = "127.0.0.1" });
        Assert.Equal([3, 4], used);
        Assert.Equal(4, (await CounterKeysAsync()).Length);
    }

    [Fact]
    public async Task Random_identities_meet_the_limit_of_the_address_and_do_not_fill_Redis()
    {
        var config = Config(new { Name = "key", PermitLimit = 10, Window = "01:00:00", By = new[] { "Header:X-Key" } });
        config["RateLimiter"] = new
        {
            NewIdentitiesPerMinute = 5,
            Policies = new { api = new { Limits = new[] { new { Name = "key", PermitLimit = 10, Window = "01:00:00", By = new[] { "Header:X-Key" } } } } },
        };
        var node = await StartWithAsync(config);

        var admitted = 0;
        for (var i = 0; i < 50; i++)
            admitted += await StatusAsync(node, ("X-Key", $"random-{i}")) == 200 ? 1 : 0;

        // Five are counted as themselves; all others share the ten permits of their address. A minute may end meanwhile.
        Assert.InRange(admitted, 15, 20);
        Assert.InRange((await CounterKeysAsync()).Length, 6, 11);
        Assert.Equal(200, await StatusAsync(node, ("X-Key", "random-0")));
    }

    [Fact]
    public async Task The_counter_of_identities_beyond_the_budget_is_the_one_of_the_address_which_can_be_reset()
    {
        var config = Config();
        config["RateLimiter"] = new
        {
            NewIdentitiesPerMinute = 1,
            Policies = new { api = new { Limits = new[] { new { Name = "key", PermitLimit = 2, Window = "01:00:00", By = new[] { "Header:X-Key" } } } } },
        };
        var node = await StartWithAsync(config);
        Assert.Equal(200, await StatusAsync(node, ("X-Key", "first")));
        Assert.Equal(200, await StatusAsync(node, ("X-Key", "random-1")));
        Assert.Equal(200, await StatusAsync(node));
        Assert.Equal(429, await StatusAsync(node, ("X-Key", "random-2")));

        using var reset = await node.Admin.PostAsJsonAsync("/rate-limits/reset", new { policy = "api", identity = new { ClientIp = "127.0.0.1" } });

        Assert.Equal(200, await StatusAsync(node, ("X-Key", "random-3")));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("192.0.2.1, unknown")]
    [InlineData("192.0.2.1, 999.1.1.1")]
    [InlineData("192.0.2.1, [::1")]
    [InlineData("192.0.2.1, _hidden")]
    [InlineData(", ,")]
    [InlineData("192.0.2.1 198.51.100.1")]
    public async Task Garbage_in_X_Forwarded_For_hides_nobody(string forwarded)
    {
        var config = Config(new { Name = "one", PermitLimit = 2, Window = "01:00:00", By = new[] { "ClientIp" } });
        config["ForwardedHeaders"] = new { KnownProxies = new[] { "127.0.0.1" }, ForwardLimit = 3 };
        var node = await StartWithAsync(config);

        // What the nearest proxy wrote is no address: the client is whom the connection comes from, whatever stands before.
        Assert.Equal(200, await StatusAsync(node));
        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", forwarded)));
        Assert.Equal(429, await StatusAsync(node, ("X-Forwarded-For", forwarded.Replace('1', '2'))));
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task Of_several_trusted_proxies_the_first_address_from_the_right_that_is_none_is_the_client()
    {
        var config = Config(new { Name = "one", PermitLimit = 1, Window = "01:00:00", By = new[] { "ClientIp" } });
        config["ForwardedHeaders"] = new { KnownProxies = new[] { "127.0.0.1", "10.0.0.7" }, ForwardLimit = 3 };
        var node = await StartWithAsync(config);

        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "198.51.100.1, 192.0.2.1, 10.0.0.7")));
        Assert.Equal(429, await StatusAsync(node, ("X-Forwarded-For", "198.51.100.2, 192.0.2.1:4711, 10.0.0.7")));
        Assert.Equal(200, await StatusAsync(node, ("X-Forwarded-For", "192.0.2.1, 198.51.100.1, 10.0.0.7")));
    }

    [Theory]
    [InlineData("SlidingWindow", "00:30:00")]
    [InlineData("FixedWindow", "00:30:00")]
    public async Task A_reload_in_mid_window_keeps_what_was_counted(string algorithm, string window)
    {
        object Limit(int permits, string span) => new { Name = "one", Algorithm = algorithm, PermitLimit = permits, Window = span };
        var node = await StartAsync(Limit(5, "01:00:00"));
        Assert.Equal(4, await CountAdmittedAsync([node], 4, 1));

        await node.ReloadAsync(Config(Limit(6, window)));
        Assert.Equal(2, await CountAdmittedAsync([node], 6, 1));
        using (var rejected = await node.SendAsync("/x"))
            Assert.InRange(rejected.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(31));

        await node.ReloadAsync(Config(Limit(3, window)));
        Assert.Equal(0, await CountAdmittedAsync([node], 3, 1));
        await AssertKeysEndAsync();
    }

    [Fact]
    public async Task A_reload_can_change_how_a_limit_counts()
    {
        var node = await StartAsync(new { Name = "one", PermitLimit = 1, Window = "01:00:00" });
        Assert.Equal(1, await CountAdmittedAsync([node], 3, 1));

        await node.ReloadAsync(Config(new { Name = "one", Algorithm = "TokenBucket", PermitLimit = 2, ReplenishmentPeriod = "30.00:00:00" }));
        Assert.Equal(2, await CountAdmittedAsync([node], 4, 1));
        await node.ReloadAsync(Config(new { Name = "one", Algorithm = "SlidingWindow", PermitLimit = 3, Window = "01:00:00" }));
        Assert.Equal(3, await CountAdmittedAsync([node], 5, 1));
        Assert.DoesNotContain(node.Log.Events, logged => logged.Message.Contains("refused a call", StringComparison.Ordinal));
    }
}
