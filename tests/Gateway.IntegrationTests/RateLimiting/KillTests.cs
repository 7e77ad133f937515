using System.Globalization;
using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.RateLimiting;

/// <summary>Redis and gateways that die under load, at moments that nobody chose.</summary>
public sealed class KillTests : LimitedNodes
{
    private static readonly string[] ByKey = ["Header:X-Key"];

    private static readonly object[] AllAlgorithms =
    [
        new { Name = "fixed", PermitLimit = 50, Window = "01:00:00", By = ByKey },
        new { Name = "sliding", Algorithm = "SlidingWindow", PermitLimit = 50, Window = "01:00:00", By = ByKey },
        new { Name = "bucket", Algorithm = "TokenBucket", PermitLimit = 50, ReplenishmentPeriod = "01:00:00", By = ByKey },
        new { Name = "running", Algorithm = "Concurrency", PermitLimit = 50, By = ByKey },
        new { Name = "total", Algorithm = "Total", PermitLimit = 50, Until = "2080-01-01T00:00:00Z", By = ByKey },
    ];

    [Fact]
    public async Task Redis_and_a_gateway_killed_under_load_leave_no_counter_without_an_end()
    {
        // It keeps what it did in a file, each script whole or not at all, so that a kill loses no more than the last one.
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes");
        var stays = await StartWithAsync(ConfigOf(new { Limits = AllAlgorithms }, "00:00:00.200"), redis.ConnectionString);
        await using var dies = await ProcessNode.StartAsync(ConfigOf(new { Limits = AllAlgorithms }, "00:00:00.200"), redis.ConnectionString);
        using var ending = new CancellationTokenSource();
        var load = Task.WhenAll(Enumerable.Range(0, 8).Select(i => SendAsync(i % 2 == 0 ? stays.Public : dies.Public, i, ending.Token)));

        for (var round = 0; round < 5; round++)
        {
            var seen = Origin.Count("/x");
            await Eventually.TrueAsync(() => Origin.Count("/x") > seen + (7 * round), "requests are admitted", TimeSpan.FromSeconds(30));
            await redis.KillAsync();
            if (round == 3)
                await dies.KillAsync();
            await redis.RestartAsync(withSavedData: true);
            Assert.NotEmpty(await CounterKeysAsync(redis));
            await AssertKeysEndAsync(redis);
        }

        await ending.CancelAsync();
        await load;
        await AssertKeysEndAsync(redis);
        Assert.Empty(stays.Log.Exceptions);
    }

    [Theory]
    [InlineData("fixed", "f")]
    [InlineData("sliding", "s")]
    [InlineData("bucket", "b")]
    [InlineData("running", "c")]
    [InlineData("total", "t")]
    public async Task A_counter_that_lost_its_end_gets_one_with_the_next_request(string limit, string kind)
    {
        var node = await StartAsync(AllAlgorithms);
        Assert.Equal(200, await StatusAsync(node, ("X-Key", "a")));
        await using var connection = await Redis.ConnectAsync();
        var database = connection.GetDatabase();
        var client = (await CounterKeysAsync())[0].Split('}')[0];
        var key = $"{client}}}:{kind}:{limit}";
        // A permit of a node that renews none, in place of the one that was given back.
        if (kind == "c")
            await database.SortedSetAddAsync(key, "other", 1e15);
        Assert.True(await database.KeyPersistAsync(key) || kind == "c");
        Assert.Null(await database.KeyTimeToLiveAsync(key));

        Assert.Equal(200, await StatusAsync(node, ("X-Key", "a")));

        Assert.NotNull(await database.KeyTimeToLiveAsync(key));
    }

    private static async Task SendAsync(HttpClient client, int connection, CancellationToken cancellationToken)
    {
        HttpStatusCode[] expected = [HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable];
        for (var i = 0; !cancellationToken.IsCancellationRequested; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/x");
            request.Headers.Add("X-Key", string.Create(CultureInfo.InvariantCulture, $"{connection}-{i / 20}"));
            try
            {
                using var response = await client.SendAsync(request, CancellationToken.None);
                Assert.Contains(response.StatusCode, expected);
            }
            catch (HttpRequestException)
            {
                // Its gateway was killed.
                return;
            }
        }
    }
}
