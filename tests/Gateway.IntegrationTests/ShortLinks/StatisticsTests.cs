using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ShortLinks;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Visits_are_counted_by_day_and_by_referring_host_within_bounds(bool hasRedis)
    {
        await using var redis = hasRedis ? await RedisServer.StartAsync() : null;
        await using var node = await LinkTestNode.StartAsync(redis);
        await node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        await node.CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 1000 });

        foreach (var slug in new[] { "oak", "few" })
        {
            await FollowAsync(node, slug, null);
            await FollowAsync(node, slug, "https://news.example/item?secret=1");
            await FollowAsync(node, slug, "https://NEWS.example/");
            for (var i = 0; i < 110; i++)
                await FollowAsync(node, slug, $"https://{i}.example/");

            var statistics = await (await node.Admin.GetAsync($"/links/{slug}/statistics")).JsonAsync();

            Assert.Equal(113, statistics.GetProperty("visits").GetInt64());
            var days = statistics.GetProperty("days").EnumerateArray().ToList();
            Assert.Equal(113, days.Sum(day => day.GetProperty("visits").GetInt64()));
            Assert.InRange(days.Count, 1, 2);
            var hosts = statistics.GetProperty("referrers").EnumerateArray()
                .ToDictionary(host => host.GetProperty("host").GetString()!, host => host.GetProperty("visits").GetInt64());
            Assert.Equal(113, hosts.Values.Sum());
            Assert.InRange(hosts.Count, 50, 102);
            Assert.True(hosts.ContainsKey("(other)"));
            Assert.Equal((1, 2), (hosts["(none)"], hosts["news.example"]));
        }

        Assert.Empty(node.Log.Exceptions);
    }

    private static async Task FollowAsync(GatewayNode node, string slug, string? referer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/s/{slug}");
        if (referer is not null)
            request.Headers.Referrer = new Uri(referer);
        using var answer = await node.Public.SendAsync(request);
        Assert.NotNull(answer.Headers.Location);
    }
}
