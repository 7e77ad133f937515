using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>
/// Three nodes before an origin that answers with a version, under load. Each purge first raises the version; from the
/// moment that a waited purge is answered 200, no request for what it matches may be answered with an older one.
/// </summary>
internal sealed class PurgeWorld : IAsyncDisposable
{
    private const int Sections = 3, Items = 4;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private readonly ConcurrentDictionary<string, int> _oldestAllowed = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _tooOld = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients = [];
    private readonly TestOrigin _origin;
    private int _version;
    private int _hits;
    private int _requests;

    private PurgeWorld(RedisServer redis, TestOrigin origin)
    {
        Redis = redis;
        _origin = origin;
        foreach (var path in Paths)
            origin.Map(path, AnswerAsync);
    }

    public RedisServer Redis { get; }

    public List<SlowLink> Links { get; } = [];

    public List<GatewayNode> Nodes { get; } = [];

    /// <summary>Answers older than a waited purge allows.</summary>
    public IReadOnlyList<string> TooOld => [.. _tooOld];

    /// <summary>Requests without an answer, or with an error.</summary>
    public IReadOnlyList<string> Failures => [.. _failures];

    public int Hits => Volatile.Read(ref _hits);

    public int Requests => Volatile.Read(ref _requests);

    private static IReadOnlyList<string> Paths { get; } =
        [.. Enumerable.Range(0, Sections).SelectMany(section => Enumerable.Range(0, Items).Select(item => $"/{section}/{item}"))];

    public static async Task<PurgeWorld> StartAsync(string whenChangesUnknown)
    {
        var world = new PurgeWorld(await RedisServer.StartAsync(), await TestOrigin.StartAsync());
        for (var i = 0; i < 3; i++)
        {
            var link = SlowLink.To(world.Redis.Port);
            world.Links.Add(link);
            world.Nodes.Add(await GatewayNode.StartAsync(
                new
                {
                    ReverseProxy = world._origin.ProxySection(("OutputCachePolicy", "origin")),
                    OutputCache = new { Policies = new { origin = new { WhenChangesUnknown = whenChangesUnknown } } },
                },
                link.ConnectionString));
        }

        foreach (var node in world.Nodes)
        {
            world._clients.Add(world.LoadAsync(node, new Random(world._clients.Count)));
            world._clients.Add(world.LoadAsync(node, new Random(world._clients.Count)));
        }

        return world;
    }

    /// <summary>Raises the version, purges something of one of the five kinds on one node, and waits until it is in force.</summary>
    /// <returns>Whether the purge was answered 200.</returns>
    public async Task<bool> PurgeAsync(Random random)
    {
        var (section, item) = (random.Next(Sections), random.Next(Items));
        var (request, matches) = random.Next(5) switch
        {
            0 => ((object)new { url = $"http://{CacheTestNode.Host}/{section}/{item}" }, (Predicate<string>)(path => path == $"/{section}/{item}")),
            1 => (new { prefix = $"http://{CacheTestNode.Host}/{section}" }, path => path.StartsWith($"/{section}/", StringComparison.Ordinal)),
            2 => (new { tag = $"item-{item}" }, path => path.EndsWith($"/{item}", StringComparison.Ordinal)),
            3 => (new { route = "all" }, _ => true),
            _ => (new { all = true }, _ => true),
        };
        var version = Interlocked.Increment(ref _version);
        using var answer = await Nodes[random.Next(Nodes.Count)].Admin.PostAsJsonAsync("/cache/purge?wait=true", request);
        if (answer.StatusCode != HttpStatusCode.OK)
            return false;
        foreach (var path in Paths.Where(path => matches(path)))
            _oldestAllowed.AddOrUpdate(path, version, (_, known) => Math.Max(known, version));
        return true;
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var node in Nodes)
            await node.DisposeAsync();
        foreach (var link in Links)
            await link.DisposeAsync();
        await _origin.DisposeAsync();
        await Redis.DisposeAsync();
        _stop.Dispose();
    }

    // The version first, the answer a little later: what is under way during a purge is old.
    private async Task AnswerAsync(HttpContext context)
    {
        var version = Volatile.Read(ref _version).ToString(CultureInfo.InvariantCulture);
        await Task.Delay(Pause, TimeProvider.System, context.RequestAborted);
        var response = context.Response;
        response.Headers.CacheControl = "max-age=3600";
        response.Headers.ETag = $"\"{version}\"";
        response.Headers["Surrogate-Key"] = $"item-{context.Request.Path.Value![^1..]}";
        if (context.Request.Headers.IfNoneMatch == response.Headers.ETag)
            response.StatusCode = StatusCodes.Status304NotModified;
        else
            await response.WriteAsync(version);
    }

    private async Task LoadAsync(GatewayNode node, Random random)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await AskAsync(node, Paths[random.Next(Paths.Count)]);
                await Task.Delay(Pause, TimeProvider.System, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The load ends.
        }
    }

    private async Task AskAsync(GatewayNode node, string path)
    {
        var oldest = _oldestAllowed.GetValueOrDefault(path);
        try
        {
            using var response = await node.GetAsync(path);
            Interlocked.Increment(ref _requests);
            var text = await response.TextAsync();
            if (response.StatusCode != HttpStatusCode.OK)
                _failures.Enqueue($"{path}: {(int)response.StatusCode} {text}");
            else if (int.Parse(text, CultureInfo.InvariantCulture) is var version && version < oldest)
                _tooOld.Enqueue($"{path}: {version} instead of {oldest} or later; {response.CacheStatus()}");
            if (response.CacheStatus().Contains("; hit", StringComparison.Ordinal))
                Interlocked.Increment(ref _hits);
        }
        catch (HttpRequestException exception)
        {
            _failures.Enqueue($"{path}: {exception.Message}");
        }
    }
}
