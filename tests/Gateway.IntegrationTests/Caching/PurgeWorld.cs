using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Caching;

/// <summary>
/// Three nodes, each a process, before an origin that answers with a version, under load. Each purge first raises the
/// version; from the moment that a waited purge is answered 200, no request for what it matches may be answered with an
/// older one. Half of the site is cached by a policy with <c>Bypass</c>, half by one with <c>Serve</c>.
/// </summary>
internal sealed class PurgeWorld : IAsyncDisposable
{
    private const int Sections = 3, Items = 4, Quiet = 12;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2), SlowAnswer = TimeSpan.FromMilliseconds(40);
    private static readonly string[] Policies = ["Bypass", "Serve"];

    private readonly ConcurrentDictionary<string, int> _oldestAllowed = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _tooOld = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients = [];
    private readonly int[] _waited = new int[Enum.GetValues<PurgeKind>().Length];
    private readonly TestOrigin _origin;
    private int _version;
    private int _hits;
    private int _requests;

    private PurgeWorld(TestOrigin origin)
    {
        _origin = origin;
        foreach (var path in LoadedPaths.Concat(QuietPaths))
            origin.Map(path, AnswerAsync);
    }

    public IReadOnlyList<ProcessNode> Nodes { get; private set; } = [];

    /// <summary>Answers under <c>Bypass</c> that are older than a waited purge allows.</summary>
    public IReadOnlyList<string> TooOld => [.. _tooOld];

    /// <summary>Requests without an answer, or with an error, under either policy.</summary>
    public IReadOnlyList<string> Failures => [.. _failures];

    public int Hits => Volatile.Read(ref _hits);

    public int Requests => Volatile.Read(ref _requests);

    private static IReadOnlyList<string> LoadedPaths { get; } =
    [
        .. from policy in Policies from section in Enumerable.Range(0, Sections) from item in Enumerable.Range(0, Items) select $"/{policy}/{section}/{item}",
    ];

    // Under no load and matched by no purge but their own: what a node then knows of them it knows by that purge alone.
    private static IReadOnlyList<string> QuietPaths { get; } =
        [.. from policy in Policies from item in Enumerable.Range(0, Quiet) select $"/{policy}/quiet/{item}"];

    /// <param name="redis">A connection string for all nodes.</param>
    public static async Task<PurgeWorld> StartAsync(string redis)
    {
        var world = new PurgeWorld(await TestOrigin.StartAsync(keepsRequests: false));
        var config = new
        {
            ReverseProxy = new
            {
                Routes = Policies.ToDictionary(policy => policy, policy => new { ClusterId = "origin", Match = new { Path = $"/{policy}/{{**rest}}" }, OutputCachePolicy = policy }),
                Clusters = new { origin = new { Destinations = new { one = new { world._origin.Address } } } },
            },
            OutputCache = new { Policies = Policies.ToDictionary(policy => policy, policy => new { WhenChangesUnknown = policy }) },
        };
        world.Nodes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ProcessNode.StartAsync(config, redis)));
        foreach (var node in world.Nodes)
        {
            for (var i = 0; i < 2; i++)
                world._clients.Add(world.LoadAsync(node, new Random(world._clients.Count)));
        }

        return world;
    }

    /// <summary>How many purges of a kind were waited for.</summary>
    public int Waited(PurgeKind kind) => Volatile.Read(ref _waited[(int)kind]);

    /// <summary>Raises the version, purges something on one node, and waits until it is in force.</summary>
    /// <returns>Whether the purge was answered 200.</returns>
    public async Task<bool> PurgeAsync(Random random, PurgeKind kind)
    {
        var (policy, section, item) = (Policies[random.Next(Policies.Length)], random.Next(Sections), random.Next(Items));
        var (purge, matches) = kind switch
        {
            PurgeKind.Url => ((object)new { url = Url($"/{policy}/{section}/{item}") }, (Predicate<string>)(path => path == $"/{policy}/{section}/{item}")),
            PurgeKind.Prefix => (new { prefix = Url($"/{policy}/{section}") }, path => path.StartsWith($"/{policy}/{section}/", StringComparison.Ordinal)),
            PurgeKind.Tag => (new { tag = $"item-{item}" }, path => path.EndsWith($"/{item}", StringComparison.Ordinal)),
            PurgeKind.Route => (new { route = policy }, path => path.StartsWith($"/{policy}/", StringComparison.Ordinal)),
            _ => (new { all = true }, _ => true),
        };
        if (!await PurgeAsync(Nodes[random.Next(Nodes.Count)], purge, LoadedPaths.Where(path => matches(path))))
            return false;
        Interlocked.Increment(ref _waited[(int)kind]);
        return true;
    }

    /// <summary>Has every node store what is under no load.</summary>
    public async Task StoreQuietAsync()
    {
        foreach (var node in Nodes)
        {
            // On each a hit from its own memory.
            await Eventually.TrueAsync(async () => (await Task.WhenAll(QuietPaths.Select(path => AskAsync(node, path)))).All(isHit => isHit), "all nodes store", TimeSpan.FromSeconds(30));
        }
    }

    /// <summary>Purges what is under no load, one URL each, on one node, until that is answered 200.</summary>
    public Task PurgeQuietAsync(ProcessNode node) => Eventually.TrueAsync(
        () => PurgeAsync(node, new { urls = QuietPaths.Select(Url) }, QuietPaths), "a purge is waited for", TimeSpan.FromSeconds(30));

    /// <summary>Asks every node for what is under no load, once each: much of it at once, the rest over two intervals of the poll.</summary>
    public async Task AskQuietAsync()
    {
        var asking = Stopwatch.StartNew();
        for (var i = 0; i < Quiet; i++)
        {
            await Eventually.TrueAsync(() => asking.ElapsedMilliseconds >= 150 * (i - (Quiet / 2)), "a little later");
            await Task.WhenAll(from node in Nodes from policy in Policies select AskAsync(node, $"/{policy}/quiet/{i}"));
        }
    }

    /// <summary>So many other changes that the log keeps none of those before.</summary>
    public async Task FloodAsync(ProcessNode node)
    {
        for (var batch = 0; batch < 111; batch++)
        {
            // Sent again where Redis missed its deadline: on a busy machine it does, under so many changes.
            var tags = Enumerable.Range(0, 1000).Select(i => $"flood-{batch}-{i}").ToArray();
            await Eventually.TrueAsync(
                async () =>
                {
                    using var answer = await node.Admin.PostAsJsonAsync("/cache/purge", new { tags });
                    return answer.IsSuccessStatusCode;
                },
                "a batch is written");
        }
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        // A node left paused by a test that failed would hold its clients.
        foreach (var node in Nodes)
            await node.KillAsync();
        await StopAsync();
        foreach (var node in Nodes)
            await node.DisposeAsync();
        await _origin.DisposeAsync();
        _stop.Dispose();
    }

    private static string Url(string path) => $"http://{CacheTestNode.Host}{path}";

    private async Task<bool> PurgeAsync(ProcessNode node, object purge, IEnumerable<string> paths)
    {
        var version = Interlocked.Increment(ref _version);
        using var answer = await node.Admin.PostAsJsonAsync("/cache/purge?wait=true", purge);
        if (answer.StatusCode != HttpStatusCode.OK)
            return false;
        foreach (var path in paths)
            _oldestAllowed.AddOrUpdate(path, version, (_, known) => Math.Max(known, version));
        return true;
    }

    // The version first, the answer later: what is under way during a purge is old.
    private async Task AnswerAsync(HttpContext context)
    {
        var version = Volatile.Read(ref _version).ToString(CultureInfo.InvariantCulture);
        await Task.Delay(Random.Shared.Next(3) == 0 ? SlowAnswer : Pause, TimeProvider.System, context.RequestAborted);
        var response = context.Response;
        response.Headers.CacheControl = "max-age=3600";
        response.Headers.ETag = $"\"{version}\"";
        response.Headers["Surrogate-Key"] = $"item-{context.Request.Path.Value![^1..]}";
        if (context.Request.Headers.IfNoneMatch == response.Headers.ETag)
            response.StatusCode = StatusCodes.Status304NotModified;
        else
            await response.WriteAsync(version);
    }

    private async Task LoadAsync(ProcessNode node, Random random)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await AskAsync(node, LoadedPaths[random.Next(LoadedPaths.Count)]);
                await Task.Delay(Pause, TimeProvider.System, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The load ends.
        }
    }

    private async Task<bool> AskAsync(ProcessNode node, string path)
    {
        var oldest = _oldestAllowed.GetValueOrDefault(path);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = CacheTestNode.Host } };
            using var response = await node.Public.SendAsync(request, CancellationToken.None);
            Interlocked.Increment(ref _requests);
            var text = await response.TextAsync();
            var isHit = response.CacheStatus().Contains("; hit", StringComparison.Ordinal);
            if (response.StatusCode != HttpStatusCode.OK)
                _failures.Enqueue($"{path}: {(int)response.StatusCode} {text}");
            else if (int.Parse(text, CultureInfo.InvariantCulture) is var version && version < oldest && path.StartsWith("/Bypass", StringComparison.Ordinal))
                _tooOld.Enqueue($"{path}: {version} instead of {oldest} or later; {response.CacheStatus()}");
            if (isHit)
                Interlocked.Increment(ref _hits);
            return isHit;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            _failures.Enqueue($"{path}: {exception.Message}");
            return false;
        }
    }
}

/// <summary>What a purge names.</summary>
internal enum PurgeKind
{
    Url,
    Prefix,
    Tag,
    Route,
    All,
}
