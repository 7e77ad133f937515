using System.Net.Sockets;
using System.Text;
using Gateway.Caching.Fetch;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Caching;

public sealed class FetchStreamingTests : OneNodeTests
{
    private const int Limit = 64 << 10;

    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _originSawAbort = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task DisposeAsync()
    {
        _goOn.TrySetResult();
        return base.DisposeAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(10L)]
    public async Task Followers_read_the_body_while_it_comes(long? length)
    {
        MapInTwoParts("/x", "first", "again", length);

        var bodies = await StartAsync("/x", 10);
        foreach (var body in bodies)
            Assert.Equal("first", await ReadAsync(body, 5));
        _goOn.SetResult();

        foreach (var body in bodies)
            Assert.Equal("again", await ReadAsync(body, 5) + await RestAsync(body));
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(10L)]
    public async Task A_body_that_the_origin_breaks_off_ends_cleanly_for_nobody(long? length)
    {
        Origin.Map("/x", async context =>
        {
            Begin(context, length);
            await context.Response.WriteAsync("first");
            await _goOn.Task;
            context.Abort();
        });

        var bodies = await StartAsync("/x", 10);
        foreach (var body in bodies)
            Assert.Equal("first", await ReadAsync(body, 5));
        _goOn.SetResult();

        foreach (var body in bodies)
            await Assert.ThrowsAnyAsync<IOException>(() => RestAsync(body));
        Origin.Map("/x", "whole", ("Cache-Control", "max-age=60"));
        Assert.Equal("whole", await (await Node.GetAsync("/x")).TextAsync());
    }

    [Fact]
    public async Task A_leader_that_hangs_up_in_the_middle_changes_nothing_for_those_who_read_along()
    {
        MapInTwoParts("/x", "first", "again");
        using var hangUp = new CancellationTokenSource();
        var leader = await OpenAsync("/x", hangUp.Token);
        Assert.Equal("first", await ReadAsync(leader, 5));
        var followers = await StartAsync("/x", 5);

        await hangUp.CancelAsync();
        await leader.DisposeAsync();
        _goOn.SetResult();

        foreach (var follower in followers)
            Assert.Equal("firstagain", await RestAsync(follower));
        Assert.Equal(1, Origin.Count("/x"));
        Assert.Equal("firstagain", await (await Node.GetAsync("/x")).TextAsync());
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_leader_that_does_not_read_holds_nobody_up()
    {
        var body = new byte[12 << 20];
        Origin.Map("/x", async context =>
        {
            Begin(context, null);
            for (var sent = 0; sent < body.Length; sent += Limit)
                await context.Response.Body.WriteAsync(body.AsMemory(sent, Limit), context.RequestAborted);
        });
        using var leader = await ConnectAsync("/x");
        await Eventually.TrueAsync(() => Origin.Count("/x") == 1, "the leader asked the origin");

        var follower = await (await Node.GetAsync("/x")).Content.ReadAsByteArrayAsync().WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(body.Length, follower.Length);
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_body_announced_over_the_limit_is_waited_for_by_nobody()
    {
        await RestartAsync(new { MaxBodySize = Limit });
        Origin.Map("/x", async context =>
        {
            Begin(context, Limit + 1);
            await context.Response.Body.WriteAsync(new byte[1]);
            await _goOn.Task;
            await context.Response.Body.WriteAsync(new byte[Limit]);
        });

        await StartAsync("/x", 10);

        Assert.Equal(10, Origin.Count("/x"));
    }

    [Fact]
    public async Task A_body_that_grows_over_the_limit_goes_on_for_those_who_read_along_and_is_joined_no_more()
    {
        await RestartAsync(new { MaxBodySize = Limit });
        var large = new string('x', 10 * Limit);
        MapInTwoParts("/x", "first", large);
        var bodies = await StartAsync("/x", 10);
        foreach (var body in bodies)
            Assert.Equal("first", await ReadAsync(body, 5));
        Assert.Equal(1, Origin.Count("/x"));
        _goOn.SetResult();

        var rests = bodies.Select(RestAsync).ToArray();
        foreach (var rest in rests)
            Assert.Equal(large, await rest);
        Assert.Equal(1, Origin.Count("/x"));
        Assert.Equal("first" + large, await (await Node.GetAsync("/x")).TextAsync());
        Assert.Equal(2, Origin.Count("/x"));
        await NothingIsReservedAsync();
    }

    [Fact]
    public async Task Who_takes_nothing_of_an_outgrown_body_for_five_seconds_is_cut_off_and_the_others_get_it_whole()
    {
        await RestartAsync(new { MaxBodySize = Limit });
        var size = MapEndless("/x", total: 64 << 20);
        var leader = await OpenAsync("/x", default);
        using var laggard = await ConnectAsync("/x");
        var follower = await OpenAsync("/x", default);
        await Eventually.TrueAsync(() => FollowersOf("/x") == 2, "both read along");
        _goOn.SetResult();

        var sizes = await Task.WhenAll(CountAsync(leader), CountAsync(follower)).WaitAsync(TimeSpan.FromSeconds(25));

        Assert.All(sizes, received => Assert.Equal(size, received));
        Assert.Equal(1, Origin.Count("/x"));
        var (received, last) = await DrainAsync(laggard);
        Assert.True(received < size, "what was cut off is not the whole");
        Assert.DoesNotContain("\r\n0\r\n\r\n", last, StringComparison.Ordinal);
        await NothingIsReservedAsync();
    }

    [Fact]
    public async Task An_outgrown_body_that_nobody_reads_any_more_is_not_fetched_to_its_end()
    {
        await RestartAsync(new { MaxBodySize = Limit });
        MapEndless("/x", total: long.MaxValue);
        using var hangUp = new CancellationTokenSource();
        var leader = await OpenAsync("/x", hangUp.Token);
        var follower = await OpenAsync("/x", hangUp.Token);
        _goOn.SetResult();
        await ReadAsync(leader, 4 * Limit);
        await ReadAsync(follower, 4 * Limit);

        await leader.DisposeAsync();
        Assert.NotEmpty(await ReadAsync(follower, Limit));
        Assert.False(_originSawAbort.Task.IsCompleted);
        await follower.DisposeAsync();

        await _originSawAbort.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1, Origin.Count("/x"));
    }

    [Fact]
    public async Task Recordings_take_no_more_than_their_budget_and_what_does_not_fit_passes()
    {
        await RestartAsync(new { }, recordingLimit: 1 << 20);
        var body = new string('x', 700 << 10);
        MapInTwoParts("/one", "first", body, length: 5 + body.Length);
        Origin.Map("/two", body, ("Cache-Control", "max-age=60"));
        var one = await OpenAsync("/one", default);
        Assert.Equal("first", await ReadAsync(one, 5));

        Assert.Equal(body, await (await Node.GetAsync("/two")).TextAsync());
        _goOn.SetResult();
        Assert.Equal(body, await RestAsync(one));
        await NothingIsReservedAsync();
        // Memory that was used up says nothing of the response: the next one is stored.
        Assert.Contains("stored", (await Node.GetAsync("/two")).CacheStatus(), StringComparison.Ordinal);
        Assert.Contains("hit", (await Node.GetAsync("/two")).CacheStatus(), StringComparison.Ordinal);
    }

    private async Task RestartAsync(object policy, long recordingLimit = 64 << 20)
    {
        await Node.DisposeAsync();
        Node = await GatewayNode.StartAsync(
            new
            {
                ReverseProxy = Origin.ProxySection(("OutputCachePolicy", "origin")),
                OutputCache = new { RecordingLimit = recordingLimit, Policies = new Dictionary<string, object> { ["origin"] = policy } },
                Redis = new { Deadline = "00:00:02" },
            },
            Redis.ConnectionString);
    }

    private void MapInTwoParts(string path, string first, string second, long? length = null) => Origin.Map(path, async context =>
    {
        Begin(context, length);
        await context.Response.WriteAsync(first);
        await _goOn.Task;
        await context.Response.WriteAsync(second);
    });

    private long MapEndless(string path, long total)
    {
        Origin.Map(path, async context =>
        {
            Begin(context, null);
            try
            {
                var block = new byte[Limit];
                await context.Response.Body.WriteAsync(block.AsMemory(0, 1), context.RequestAborted);
                await _goOn.Task;
                for (var sent = 0L; sent < total && !context.RequestAborted.IsCancellationRequested; sent += block.Length)
                    await context.Response.Body.WriteAsync(block, context.RequestAborted);
            }
            finally
            {
                if (context.RequestAborted.IsCancellationRequested)
                    _originSawAbort.TrySetResult();
            }
        });
        return total + 1;
    }

    private static void Begin(HttpContext context, long? length)
    {
        context.Response.Headers.CacheControl = "max-age=60";
        context.Response.ContentLength = length;
    }

    // One leads, the others follow: all have the fields, and maybe not all of the body.
    private async Task<Stream[]> StartAsync(string path, int count) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(_ => OpenAsync(path, default)));

    private async Task<Stream> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = CacheTestNode.Host } };
        var response = await Node.Public.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    // A client that sends its request and reads nothing.
    private async Task<Socket> ConnectAsync(string path)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(Node.PublicAddress.Host, Node.PublicAddress.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {CacheTestNode.Host}\r\n\r\n"));
        return socket;
    }

    private int FollowersOf(string path) => Node.Services.GetRequiredService<FetchTable>().FollowersOf(key => key.Contains(path, StringComparison.Ordinal));

    private Task NothingIsReservedAsync() =>
        Eventually.TrueAsync(() => Node.Services.GetRequiredService<RecordingBudget>().Used == 0, "all recordings gave their memory back");

    private static async Task<string> ReadAsync(Stream body, int count)
    {
        var buffer = new byte[count];
        await body.ReadExactlyAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        return Encoding.ASCII.GetString(buffer);
    }

    private static async Task<string> RestAsync(Stream body)
    {
        using var reader = new StreamReader(body);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    private static async Task<long> CountAsync(Stream body)
    {
        var (buffer, count) = (new byte[Limit], 0L);
        for (int read; (read = await body.ReadAsync(buffer)) > 0;)
            count += read;
        return count;
    }

    private static async Task<(long Received, string Last)> DrainAsync(Socket socket)
    {
        var (buffer, count, last) = (new byte[Limit], 0L, "");
        try
        {
            for (int read; (read = await socket.ReceiveAsync(buffer)) > 0; count += read)
                last = Encoding.ASCII.GetString(buffer, Math.Max(0, read - 16), Math.Min(16, read));
        }
        catch (SocketException)
        {
            // Reset: what the cut is seen by.
        }

        return (count, last);
    }
}
