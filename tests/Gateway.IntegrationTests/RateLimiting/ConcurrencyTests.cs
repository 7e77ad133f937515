using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class ConcurrencyTests : LimitedNodes, IDisposable
{
    private static readonly object Two = new { Name = "running", Algorithm = "Concurrency", PermitLimit = 2 };

    private readonly SemaphoreSlim _end = new(0);

    public void Dispose() => _end.Dispose();

    [Fact]
    public async Task So_many_requests_run_at_the_same_time_on_all_nodes_together()
    {
        var (a, b) = (await StartAsync(Two), await StartAsync(Two));
        MapWaiting();

        var running = new[] { a.SendAsync("/wait"), b.SendAsync("/wait") };
        await Eventually.TrueAsync(() => Origin.Count("/wait") == 2, "two requests run");
        using (var third = await a.SendAsync("/x"))
        {
            Assert.Equal(429, (int)third.StatusCode);
            Assert.Equal("\"running\";q=2;qu=\"concurrent-requests\"", third.Headers.GetValues("RateLimit-Policy").Single());
        }

        _end.Release(2);
        foreach (var response in await Task.WhenAll(running))
            response.Dispose();
        await Eventually.TrueAsync(async () => await StatusAsync(b) == 200, "permits are given back");
    }

    [Fact]
    public async Task Never_more_than_the_limit_run_at_the_same_time_of_2000_requests_over_64_connections()
    {
        var limit = new { Name = "running", Algorithm = "Concurrency", PermitLimit = 10 };
        GatewayNode[] nodes = [await StartAsync(limit), await StartAsync(limit), await StartAsync(limit), await StartAsync(limit)];
        var (running, most) = (0, 0);
        Origin.Map("/x", async context =>
        {
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            await Task.Yield();
            await context.Response.Body.FlushAsync();
            Interlocked.Decrement(ref running);
        });

        var admitted = await CountAdmittedAsync(nodes, 2000, 64);

        Assert.InRange(most, 1, 10);
        Assert.True(admitted >= 10, $"{admitted} were admitted");
        await Eventually.TrueAsync(async () => (await UsedAsync(nodes[0]))[0] == 0, "all permits are given back");

        static void InterlockedMax(ref int most, int now)
        {
            for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most))
                Interlocked.CompareExchange(ref most, now, seen);
        }
    }

    [Fact]
    public async Task A_request_keeps_its_permit_as_long_as_it_runs_even_in_a_Redis_that_lost_it()
    {
        var node = await StartAsync(new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1 });
        MapWaiting();
        var running = node.SendAsync("/wait");
        await Eventually.TrueAsync(() => Origin.Count("/wait") == 1, "the request runs");

        await Redis.RestartAsync();
        await using var connection = await Redis.ConnectAsync();
        await Eventually.TrueAsync(
            () => connection.GetServers()[0].Keys(pattern: "gateway:limit:*").Any(), "the permit is put back", RateLimitCounters.PermitHold);
        var began = TimeProvider.System.GetTimestamp();
        await Eventually.TrueAsync(async () =>
        {
            Assert.Equal(429, await StatusAsync(node));
            return TimeProvider.System.GetElapsedTime(began) > RateLimitCounters.PermitHold + TimeSpan.FromSeconds(1);
        }, "the hold would be over without renewal", TimeSpan.FromSeconds(20));

        _end.Release();
        (await running).Dispose();
    }

    [Fact]
    public async Task A_WebSocket_holds_its_permit_until_it_closes()
    {
        var node = await StartAsync(new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1 });
        var sockets = new WebSocketMiddleware(
            async context =>
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.ReceiveAsync(new byte[16], context.RequestAborted);
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
            },
            Options.Create(new WebSocketOptions()), NullLoggerFactory.Instance);
        Origin.Map("/socket", sockets.Invoke);

        using var client = new ClientWebSocket();
        await client.ConnectAsync(new UriBuilder(node.PublicAddress) { Scheme = "ws", Path = "/socket" }.Uri, default);
        Assert.Equal(429, await StatusAsync(node));
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "the permit is given back");
    }

    [Fact]
    public async Task The_permits_of_a_dead_node_are_freed_within_10_seconds()
    {
        MapWaiting();
        var live = await StartAsync(new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1 });
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, System.Text.Json.JsonSerializer.Serialize(Config(new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1 })));
        var port = FreePort.Next();
        using var dead = GatewayProcess.Start(
            "--urls", $"http://127.0.0.1:{port}", $"--Admin:Urls=http://127.0.0.1:{FreePort.Next()}", "--config", config, $"--Redis:Configuration={Redis.ConnectionString}");
        using var client = GatewayNode.CreateClient(new Uri($"http://127.0.0.1:{port}"));
        try
        {
            await Eventually.TrueAsync(async () => await AnswersAsync(client), "the process serves", TimeSpan.FromSeconds(60));
            await Eventually.TrueAsync(async () => await StatusAsync(live) == 200, "its first permit is given back");
            var running = client.GetAsync(new Uri("/wait", UriKind.Relative));
            await Eventually.TrueAsync(() => Origin.Count("/wait") == 1, "a request runs on the node that will die");
            Assert.Equal(429, await StatusAsync(live));

            dead.Kill();
            await AssertKeysEndAsync();
            await Eventually.TrueAsync(async () => await StatusAsync(live) == 200, "the permit is freed", TimeSpan.FromSeconds(10));
            await Assert.ThrowsAsync<HttpRequestException>(() => running);
        }
        finally
        {
            if (!dead.HasExited)
                dead.Kill();
            _end.Release();
            File.Delete(config);
        }
    }

    [Fact]
    public async Task A_client_that_hangs_up_gives_its_permit_back()
    {
        var node = await StartAsync(new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1 });
        MapWaiting();
        using var hangUp = new CancellationTokenSource();
        var running = node.Public.GetAsync(new Uri("/wait", UriKind.Relative), hangUp.Token);
        await Eventually.TrueAsync(() => Origin.Count("/wait") == 1, "the request runs");
        Assert.Equal(429, await StatusAsync(node));

        await hangUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Eventually.TrueAsync(async () => await StatusAsync(node) == 200, "the permit is back long before its hold ends", TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task A_reset_leaves_running_requests_their_permits()
    {
        var node = await StartAsync(new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1 }, new { Name = "one", PermitLimit = 100, Window = "01:00:00" });
        MapWaiting();
        var running = node.SendAsync("/wait");
        await Eventually.TrueAsync(() => Origin.Count("/wait") == 1, "the request runs");

        using var reset = await node.Admin.PostAsJsonAsync("/rate-limits/reset", new { policy = "api" });

        Assert.Equal(HttpStatusCode.NoContent, reset.StatusCode);
        var used = await UsedAsync(node);
        Assert.Equal([1, 0], used);
        Assert.Equal(429, await StatusAsync(node));
        _end.Release();
        (await running).Dispose();
    }

    [Fact]
    public async Task A_shadow_that_is_used_up_holds_no_permits_for_those_it_would_have_rejected()
    {
        var node = await StartAsync(new { Name = "running", Algorithm = "Concurrency", PermitLimit = 1, Shadow = true });
        MapWaiting();
        var running = new[] { node.SendAsync("/wait"), node.SendAsync("/wait") };
        await Eventually.TrueAsync(() => Origin.Count("/wait") == 2, "both requests run");
        await using var connection = await Redis.ConnectAsync();
        var key = (await CounterKeysAsync()).Single();
        var first = (await connection.GetDatabase().SortedSetRangeByRankWithScoresAsync(key)).Single();

        await Eventually.TrueAsync(
            async () => await connection.GetDatabase().SortedSetScoreAsync(key, first.Element) > first.Score, "the permit is renewed");

        Assert.Equal(1, await connection.GetDatabase().SortedSetLengthAsync(key));
        _end.Release(2);
        foreach (var response in await Task.WhenAll(running))
            response.Dispose();
    }

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            using var response = await client.GetAsync(new Uri("/x", UriKind.Relative));
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void MapWaiting() => Origin.Map("/wait", async context =>
    {
        await _end.WaitAsync(context.RequestAborted);
        await context.Response.WriteAsync("done");
    });
}
