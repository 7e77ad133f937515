using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Gateway.Caching.Fetch;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Caching;

public sealed class FetchLockTests : IAsyncLifetime
{
    private static readonly TimeSpan OriginTime = TimeSpan.FromMilliseconds(300);

    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<RedisServer> _quorum = [];
    private readonly List<GatewayNode> _nodes = [];
    private RedisServer _redis = null!;
    private TestOrigin _origin = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _origin = await TestOrigin.StartAsync();
    }

    public async Task DisposeAsync()
    {
        _answer.TrySetResult();
        foreach (var node in _nodes)
            await node.DisposeAsync();
        foreach (var server in _quorum)
            await server.DisposeAsync();
        await _origin.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Extending_the_locks_of_slow_fetches_blocks_no_thread_that_requests_need()
    {
        await StartNodesAsync(1);
        MapHeld("/slow");
        _origin.Map("/quick", "quick");
        var slow = Enumerable.Range(0, 64).Select(i => _nodes[0].GetAsync($"/slow?{i}")).ToArray();
        await Eventually.TrueAsync(() => _origin.Count("/slow") == 64, "64 fetches hold their locks");

        // Each lock is extended in this time, and Redis does not answer: the extensions are all under way at once.
        _redis.Pause();
        var paused = Stopwatch.StartNew();
        while (paused.Elapsed < TimeSpan.FromSeconds(4))
        {
            var quick = _nodes[0].SendAsync(HttpMethod.Options, "/quick").WaitAsync(TimeSpan.FromSeconds(1));
            Assert.Equal("quick", await (await quick).TextAsync());
        }

        _redis.Resume();
        _answer.SetResult();
        foreach (var response in await Task.WhenAll(slow))
            Assert.Equal("body", await response.TextAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task A_lock_outlives_its_expiry_on_each_server_while_the_fetch_runs(int lockServers)
    {
        await StartNodesAsync(1, lockServers);
        MapHeld("/slow");
        var held = _nodes[0].GetAsync("/slow");
        await Eventually.TrueAsync(() => _origin.Count("/slow") == 1, "the fetch holds its lock");
        var servers = lockServers == 0 ? [_redis] : _quorum;
        var connections = await Task.WhenAll(servers.Select(server => server.ConnectAsync()));
        var key = connections[0].GetServers()[0].Keys(pattern: "gateway:lock:*").Single();

        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(4))
            Assert.All(await Task.WhenAll(connections.Select(IsHeldAsync)), Assert.True);

        _answer.SetResult();
        await held;
        await Eventually.TrueAsync(
            async () => !(await Task.WhenAll(connections.Select(IsHeldAsync))).Contains(true), "the lock is given back to each server");
        foreach (var connection in connections)
            await connection.DisposeAsync();

        Task<bool> IsHeldAsync(ConnectionMultiplexer connection) => connection.GetDatabase().KeyExistsAsync(key);
    }

    [Fact]
    public async Task The_embedded_server_grants_a_lock_once_extends_it_and_takes_it_back()
    {
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = _origin.ProxySection(), Redis = new { Deadline = "00:00:02" } });
        var locks = node.Services.GetRequiredService<NodeLocks>();

        var held = (await locks.TryAcquireAsync("x")).Held;

        Assert.NotNull(held);
        Assert.Equal(new LockAttempt(null, HasFailed: false), await locks.TryAcquireAsync("x"));
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(4))
            Assert.True(await locks.IsHeldAsync("x", CancellationToken.None));
        await held.DisposeAsync();
        Assert.False(await locks.IsHeldAsync("x", CancellationToken.None));
    }

    [Fact]
    public async Task One_of_three_lock_servers_killed_changes_nothing()
    {
        await StartNodesAsync(3, lockServers: 3);
        MapSlow("/x");
        await _quorum[0].KillAsync();

        for (var i = 0; i < 5; i++)
        {
            var path = $"/x?{i}";
            var responses = await Task.WhenAll(Enumerable.Range(0, 30).Select(n => _nodes[n % 3].GetAsync(path)));
            foreach (var response in responses)
                Assert.Equal("body", await response.TextAsync());
        }

        Assert.Equal(5, _origin.Count("/x"));
    }

    [Fact]
    public async Task Two_of_three_lock_servers_killed_keep_nobody_waiting()
    {
        await StartNodesAsync(3, lockServers: 3);
        MapSlow("/x");
        await _quorum[0].KillAsync();
        await _quorum[2].KillAsync();
        await Eventually.TrueAsync(async () => await AnsweredIn("/warm") < OriginTime, "the nodes know that the servers are gone");

        for (var i = 0; i < 5; i++)
            Assert.InRange(await AnsweredIn($"/x?{i}"), TimeSpan.Zero, OriginTime + TimeSpan.FromSeconds(2));

        Assert.InRange(_origin.Count("/x"), 5, 15);

        async Task<TimeSpan> AnsweredIn(string path)
        {
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, 30).Select(n => _nodes[n % 3].GetAsync(path)));
            return watch.Elapsed;
        }
    }

    [Fact]
    public async Task A_redis_that_refuses_writes_keeps_nobody_waiting()
    {
        await StartNodesAsync(2);
        MapSlow("/x");
        await _redis.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        for (var i = 0; i < 3; i++)
        {
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(_nodes.Select(node => node.GetAsync($"/x?{i}")));
            Assert.InRange(watch.Elapsed, TimeSpan.Zero, OriginTime + TimeSpan.FromSeconds(2));
        }

        Assert.InRange(_origin.Count("/x"), 3, 6);
    }

    [Fact]
    public async Task A_fetch_that_hangs_is_joined_by_one_other_node_and_not_by_all()
    {
        await StartNodesAsync(3, waitLimit: TimeSpan.FromSeconds(2));
        var requests = 0;
        _origin.Map("/x", async context =>
        {
            if (Interlocked.Increment(ref requests) == 1)
                await _answer.Task;
            else
                await Task.Delay(OriginTime, TimeProvider.System, context.RequestAborted);
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.WriteAsync("body");
        });

        var first = _nodes[0].GetAsync("/x");
        await Eventually.TrueAsync(() => _origin.Count("/x") == 1, "the first node fetches");
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => _nodes[1 + (n % 2)].GetAsync("/x")));

        foreach (var response in others)
            Assert.Equal("body", await response.TextAsync());
        Assert.Equal(2, requests);
        _answer.SetResult();
        await first;
    }

    [Fact]
    public async Task Three_hundred_requests_on_three_nodes_for_a_cold_key_make_one_request_to_the_origin()
    {
        await StartNodesAsync(3);
        MapSlow("/x");
        for (var i = 0; i < 10; i++)
        {
            var path = $"/x?{i}";
            var responses = await Task.WhenAll(Enumerable.Range(0, 300).Select(n => _nodes[n % 3].GetAsync(path)));
            foreach (var response in responses)
                Assert.Equal("body", await response.TextAsync());
            Assert.Equal(i + 1, _origin.Count("/x"));
        }
    }

    [Fact]
    public async Task Other_nodes_wait_for_no_client_of_the_node_that_fetches()
    {
        await StartNodesAsync(2);
        var body = new byte[900 << 10];
        _origin.Map("/x", async context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            await context.Response.Body.WriteAsync(body);
        });
        using var slow = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(_nodes[0].PublicAddress.Host, _nodes[0].PublicAddress.Port);
        await slow.SendAsync(Encoding.ASCII.GetBytes($"GET /x HTTP/1.1\r\nHost: {CacheTestNode.Host}\r\n\r\n"));
        await Eventually.TrueAsync(() => _origin.Count("/x") == 1, "the slow client's node fetches");

        var other = await _nodes[1].GetAsync("/x").WaitAsync(TimeSpan.FromSeconds(5));

        Assert.Equal(body.Length, (await other.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal(1, _origin.Count("/x"));
        await using var connection = await _redis.ConnectAsync();
        await Eventually.TrueAsync(() => !connection.GetServers()[0].Keys(pattern: "gateway:lock:*").Any(), "the lock is given back");
    }

    [Fact]
    public async Task Who_wants_another_variant_than_another_node_fetches_does_not_wait_for_its_body()
    {
        await StartNodesAsync(2);
        var fields = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _origin.Map("/x", async context =>
        {
            var language = context.Request.Headers.AcceptLanguage.ToString();
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.Headers.Vary = "Accept-Language";
            if (language == "de")
                await fields.Task;
            await context.Response.WriteAsync(language);
            if (language == "de")
                await _answer.Task;
        });
        var german = _nodes[0].GetAsync("/x", ("Accept-Language", "de"));
        await Eventually.TrueAsync(() => _origin.Count("/x") == 1, "the first node fetches");
        var english = _nodes[1].GetAsync("/x", ("Accept-Language", "en"));
        var waiting = _nodes[1].Services.GetRequiredService<WaitingRequests>();
        await Eventually.TrueAsync(() => waiting.Count == 1, "the second node waits");
        fields.SetResult();

        Assert.Equal("en", await (await english.WaitAsync(TimeSpan.FromSeconds(5))).TextAsync());
        Assert.False(german.IsCompleted);
        _answer.SetResult();
        Assert.Equal("de", await (await german).TextAsync());
        Assert.Equal(2, _origin.Count("/x"));
    }

    [Fact]
    public async Task What_another_node_found_not_to_be_shareable_is_fetched_by_all_who_wait_at_once()
    {
        await StartNodesAsync(2);
        var (requests, first) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _origin.Map("/x", async context =>
        {
            await (Interlocked.Increment(ref requests) == 1 ? first : _answer).Task;
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsync("body");
        });
        var leader = _nodes[0].GetAsync("/x");
        await Eventually.TrueAsync(() => _origin.Count("/x") == 1, "the first node fetches");
        var waiting = Enumerable.Range(0, 8).Select(_ => _nodes[1].GetAsync("/x")).ToArray();
        // Its leader waits for the other node, and seven for that leader.
        await Eventually.TrueAsync(() => _nodes[1].Services.GetRequiredService<WaitingRequests>().Count == 8, "the second node waits");
        first.SetResult();

        await leader;
        await Eventually.TrueAsync(() => _origin.Count("/x") == 9, "nobody waits for another's request");
        Assert.DoesNotContain(waiting, response => response.IsCompleted);
        _answer.SetResult();
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task Other_nodes_do_not_wait_for_a_body_that_is_too_large_for_redis()
    {
        await StartNodesAsync(2);
        var body = new byte[2 << 20];
        _origin.Map("/x", async context =>
        {
            context.Response.Headers.CacheControl = "max-age=60";
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body.AsMemory(0, 1));
            await _answer.Task;
            await context.Response.Body.WriteAsync(body.AsMemory(1));
        });
        var first = Enumerable.Range(0, 3).Select(_ => _nodes[0].GetAsync("/x")).ToArray();
        await Eventually.TrueAsync(() => _origin.Count("/x") == 1, "the first node fetches");
        var second = Enumerable.Range(0, 3).Select(_ => _nodes[1].GetAsync("/x")).ToArray();

        await Eventually.TrueAsync(() => _origin.Count("/x") == 2, "the second node fetches too", TimeSpan.FromSeconds(5));
        _answer.SetResult();
        foreach (var response in await Task.WhenAll(first.Concat(second)))
            Assert.Equal(body.Length, (await response.Content.ReadAsByteArrayAsync()).Length);
        Assert.Equal(2, _origin.Count("/x"));
    }

    [Fact]
    public async Task A_node_that_may_let_nobody_more_wait_fetches_for_those_who_wait_already()
    {
        await StartNodesAsync(2, maxWaiting: 5);
        MapHeld("/x");
        var held = _nodes[0].GetAsync("/x");
        await Eventually.TrueAsync(() => _origin.Count("/x") == 1, "the first node fetches");
        var waiting = _nodes[1].Services.GetRequiredService<WaitingRequests>();
        // All places are taken by those who wait for other things.
        for (var i = 0; i < 5; i++)
            Assert.True(waiting.TryEnter());

        var other = _nodes[1].GetAsync("/x");

        await Eventually.TrueAsync(() => _origin.Count("/x") == 2, "the second node does not wait for the first");
        _answer.SetResult();
        Assert.Equal("body", await (await other).TextAsync());
        Assert.Equal("body", await (await held).TextAsync());
        Assert.Equal(5, waiting.Count);
        Assert.Equal(2, _origin.Count("/x"));
    }

    private async Task StartNodesAsync(int count, int lockServers = 0, TimeSpan? waitLimit = null, int maxWaiting = 20_000)
    {
        for (var i = 0; i < lockServers; i++)
            _quorum.Add(await RedisServer.StartAsync());
        var config = new
        {
            ReverseProxy = _origin.ProxySection(("OutputCachePolicy", "origin")),
            OutputCache = new { MaxWaitingRequests = maxWaiting, Policies = new { origin = new { CollapseWaitLimit = waitLimit ?? TimeSpan.FromSeconds(10), LockThreshold = "00:00:00" } } },
            Redis = new { Deadline = "00:00:02", LockEndpoints = _quorum.Select(server => server.ConnectionString).ToArray() },
        };
        for (var i = 0; i < count; i++)
            _nodes.Add(await GatewayNode.StartAsync(config, _redis.ConnectionString));
    }

    private void MapHeld(string path) => _origin.Map(path, async context =>
    {
        await _answer.Task;
        context.Response.Headers.CacheControl = "max-age=60";
        await context.Response.WriteAsync("body");
    });

    private void MapSlow(string path) => _origin.Map(path, async context =>
    {
        await Task.Delay(OriginTime, TimeProvider.System, context.RequestAborted);
        context.Response.Headers.CacheControl = "max-age=60";
        await context.Response.WriteAsync("body");
    });
}
