using System.Diagnostics;
using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>Exactness over three nodes, under faults, and when a node dies.</summary>
public sealed class ThreeNodeTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private SlowLink _link = null!;
    private GatewayNode[] _nodes = [];

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _link = SlowLink.To(_redis.Port);
        _nodes =
        [
            await LinkTestNode.StartAsync(_redis),
            await LinkTestNode.StartAsync(_redis),
            // Its network can break.
            await GatewayNode.StartAsync(
                new { ShortLinks = new { Enabled = true, FlushInterval = "00:00:00.100" }, Redis = new { Configuration = _link.ConnectionString, Deadline = "00:00:05" } }),
        ];
    }

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            Assert.Empty(node.Log.Exceptions);
            await node.DisposeAsync();
        }

        await _link.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_thousand_parallel_requests_get_a_hundred_visits()
    {
        await _nodes[0].CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 100 });

        var answers = await FollowAsync("few", 1000);

        Assert.Equal(100, answers.Count(status => status == HttpStatusCode.Found));
        Assert.Equal(900, answers.Count(status => status == HttpStatusCode.Gone));
        Assert.Equal(100, await _nodes[1].VisitsAsync("few"));
    }

    [Fact]
    public async Task Under_faults_a_maximum_is_never_passed()
    {
        await _nodes[0].CreateAsync(new { slug = "few", target = LinkTestNode.Target, maxVisits = 100 });
        using var ending = new CancellationTokenSource();
        var breaking = BreakAsync(ending.Token);

        var answers = await FollowAsync("few", 1000);

        await ending.CancelAsync();
        await breaking;
        Assert.InRange(answers.Count(status => status == HttpStatusCode.Found), 0, 100);
        Assert.All(answers, status => Assert.True(status is HttpStatusCode.Found or HttpStatusCode.Gone or HttpStatusCode.ServiceUnavailable, $"{status}"));
        await Eventually.TrueAsync(async () => (await _nodes[2].FollowAsync("few")).StatusCode == HttpStatusCode.Gone, "the node is connected again");
        Assert.Equal(100, await _nodes[0].VisitsAsync("few"));
    }

    [Fact]
    public async Task Every_visit_to_three_nodes_is_counted_while_the_network_of_one_breaks()
    {
        // 200,000 are counted by "dotnet dev.cs bench links".
        const int visits = 20_000;
        await _nodes[0].CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        foreach (var node in _nodes)
            await Eventually.TrueAsync(async () => (await node.AskAsync("oak")).StatusCode == HttpStatusCode.Found, "the node knows the link");
        using var ending = new CancellationTokenSource();
        var breaking = BreakAsync(ending.Token);

        var answers = await FollowAsync("oak", visits);

        await ending.CancelAsync();
        await breaking;
        var followed = answers.Count(status => status == HttpStatusCode.Found);
        await Eventually.TrueAsync(async () => await CountAsync("oak") == followed, $"{followed} visits are counted", TimeSpan.FromSeconds(20));
        Assert.Equal(visits, followed);
    }

    [Fact]
    public async Task A_node_that_is_killed_loses_no_visit_older_than_the_interval_of_writing()
    {
        await _nodes[0].CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        var port = FreePort.Next();
        using var process = GatewayProcess.Start(
            "--urls", $"http://127.0.0.1:{port}", "--Admin:Urls=http://127.0.0.1:0", $"--Redis:Configuration={_redis.ConnectionString}",
            "--ShortLinks:Enabled=true", "--ShortLinks:FlushInterval=00:00:01", "--Redis:Deadline=00:00:05");
        _ = process.StandardOutput.ReadToEndAsync();
        using var client = GatewayNode.CreateClient(new Uri($"http://127.0.0.1:{port}"));
        await Eventually.TrueAsync(() => IsUpAsync(client), "the gateway answers", TimeSpan.FromSeconds(60));
        for (var i = 0; i < 100; i++)
            await client.GetAsync("/s/oak");

        var answered = Stopwatch.GetTimestamp();
        await Eventually.TrueAsync(async () => await CountAsync("oak") == 100, "what is older than the interval is written");
        // One interval, and the time that writing takes on a machine that does more than this.
        Assert.InRange(Stopwatch.GetElapsedTime(answered).TotalSeconds, 0, 6);
        for (var i = 0; i < 50; i++)
            await client.GetAsync("/s/oak");
        process.Kill();
        await process.WaitForExitAsync();

        Assert.InRange(await CountAsync("oak"), 100, 150);
    }

    private static async Task<bool> IsUpAsync(HttpClient client)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, "/s/oak");
            return (await client.SendAsync(request)).StatusCode == HttpStatusCode.Found;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<HttpStatusCode[]> FollowAsync(string slug, int times)
    {
        var answers = new HttpStatusCode[times];
        await Parallel.ForEachAsync(Enumerable.Range(0, times), new ParallelOptions { MaxDegreeOfParallelism = 100 }, async (i, cancellationToken) =>
        {
            using var answer = await _nodes[i % 3].Public.GetAsync($"/s/{slug}", cancellationToken);
            answers[i] = answer.StatusCode;
        });
        return answers;
    }

    private async Task BreakAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
                _link.Break();
            }
        }
        catch (OperationCanceledException)
        {
            // The test has seen enough.
        }
    }

    private async Task<long> CountAsync(string slug)
    {
        await using var connection = await _redis.ConnectAsync();
        return (long)await connection.GetDatabase().StringGetAsync($"gateway:link:{{{slug}}}:visits");
    }
}
