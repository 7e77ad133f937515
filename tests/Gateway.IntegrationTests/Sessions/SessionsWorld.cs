using System.Net;
using Gateway.IntegrationTests.Infrastructure;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Sessions;

/// <summary>Real backends and one real Redis, and gateways in front of them whose clusters keep sessions together.</summary>
internal sealed class SessionsWorld : IAsyncDisposable
{
    public const string CookieName = "affinity";

    private readonly Dictionary<string, Storefront> _backends = new(StringComparer.Ordinal);
    private readonly List<GatewayNode> _nodes = [];
    private ConnectionMultiplexer? _connection;

    private SessionsWorld(RedisServer redis) => Redis = redis;

    public RedisServer Redis { get; }

    public IReadOnlyList<GatewayNode> Nodes => _nodes;

    public GatewayNode A => _nodes[0];

    public GatewayNode B => _nodes[1];

    /// <param name="backends">How many backends, called a, b, c …</param>
    /// <param name="nodes">How many gateways.</param>
    /// <param name="affinity">More of <c>SessionAffinity</c>.</param>
    /// <param name="sessions">The section <c>Sessions</c>.</param>
    public static async Task<SessionsWorld> StartAsync(
        int backends = 3, int nodes = 2, (string Key, object Value)[]? affinity = null, object? sessions = null)
    {
        var world = new SessionsWorld(await RedisServer.StartAsync());
        for (var i = 0; i < backends; i++)
        {
            var name = ((char)('a' + i)).ToString();
            world._backends[name] = await Storefront.StartAsync($"Name={name}", $"Redis:Configuration={world.Redis.ConnectionString}");
        }

        for (var i = 0; i < nodes; i++)
            await world.AddNodeAsync(world.Config(affinity: affinity, sessions: sessions));
        return world;
    }

    public async Task<GatewayNode> AddNodeAsync(object config, IEnumerable<string>? args = null, TimeProvider? time = null)
    {
        var node = await GatewayNode.StartAsync(config, Redis.ConnectionString, args, builder =>
        {
            if (time is not null)
                Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton(builder.Services, time);
        });
        _nodes.Add(node);
        return node;
    }

    /// <summary>Everything goes to the cluster <c>shop</c>, but <c>/other</c> to another one with the same backends.</summary>
    /// <param name="without">A backend that the configuration lacks.</param>
    /// <param name="affinity">More of <c>SessionAffinity</c>.</param>
    /// <param name="sessions">The section <c>Sessions</c>.</param>
    /// <param name="healthChecks">Whether backends are watched.</param>
    public object Config(string? without = null, (string Key, object Value)[]? affinity = null, object? sessions = null, bool healthChecks = false)
    {
        var destinations = _backends.Where(backend => backend.Key != without)
            .ToDictionary(backend => backend.Key, object (backend) => new { Address = backend.Value.Address.ToString() });
        var shop = new Dictionary<string, object>
        {
            ["Enabled"] = true,
            ["Policy"] = "Redis",
            ["FailurePolicy"] = "Redistribute",
            ["AffinityKeyName"] = CookieName,
        };
        foreach (var (key, value) in affinity ?? [])
            shop[key] = value;
        var check = new { Active = new { Enabled = healthChecks, Interval = "00:00:00.100", Timeout = "00:00:00.500", Policy = "ConsecutiveFailures", Path = "/healthz" } };
        return new
        {
            ReverseProxy = new
            {
                Routes = new Dictionary<string, object>
                {
                    ["shop"] = new { ClusterId = "shop", Match = new { Path = "{**path}" } },
                    ["cached"] = new { ClusterId = "shop", Match = new { Path = "/cached/{**path}" }, OutputCachePolicy = "origin", Transforms = new[] { new { PathRemovePrefix = "/cached" } } },
                    ["other"] = new { ClusterId = "other", Match = new { Path = "/other/{**path}" }, Transforms = new[] { new { PathRemovePrefix = "/other" } } },
                },
                Clusters = new Dictionary<string, object>
                {
                    ["shop"] = new { LoadBalancingPolicy = "RoundRobin", SessionAffinity = shop, HealthCheck = check, Destinations = destinations },
                    ["other"] = new
                    {
                        LoadBalancingPolicy = "RoundRobin",
                        SessionAffinity = new { Enabled = true, Policy = "Redis", AffinityKeyName = "other" },
                        Destinations = destinations,
                    },
                },
            },
            Redis = new { Deadline = "00:00:02" },
            Sessions = sessions ?? new { },
        };
    }

    /// <summary>Ends a backend as a crash would.</summary>
    public async Task KillBackendAsync(string name)
    {
        await _backends[name].DisposeAsync();
        _backends.Remove(name);
    }

    public async Task<IDatabase> DatabaseAsync()
    {
        _connection ??= await Redis.ConnectAsync();
        return _connection.GetDatabase();
    }

    public async Task<IReadOnlyList<RedisKey>> RecordsAsync()
    {
        await DatabaseAsync();
        return [.. _connection!.GetServers()[0].Keys(pattern: "gateway:affinity:*")];
    }

    /// <summary>No request failed inside a gateway; that YARP could not reach a dead backend to probe it is no failure.</summary>
    public void AssertNoExceptions() => Assert.All(
        _nodes.SelectMany(node => node.Log.Exceptions), logged => Assert.Equal("Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor", logged.Category));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        foreach (var backend in _backends.Values)
            await backend.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
        await Redis.DisposeAsync();
    }
}

/// <summary>A client that keeps its cookies over all gateways.</summary>
internal sealed class Shopper
{
    private readonly Dictionary<string, string> _cookies = new(StringComparer.Ordinal);

    /// <summary>The cookies that the last answer set.</summary>
    public IReadOnlyList<string> LastSet { get; private set; } = [];

    public string? this[string cookie]
    {
        get => _cookies.GetValueOrDefault(cookie);
        set => _cookies[cookie] = value!;
    }

    /// <summary>Another client that holds the same cookies: a second tab.</summary>
    public Shopper Clone()
    {
        var clone = new Shopper();
        foreach (var (name, value) in _cookies)
            clone._cookies[name] = value;
        return clone;
    }

    /// <summary>Sends a request and tells which backend answered.</summary>
    public Task<string> VisitAsync(GatewayNode node, string path = "/catalog/1", params (string Name, string Value)[] fields) =>
        VisitAsync(node.Public, path, fields);

    /// <inheritdoc cref="VisitAsync(GatewayNode, string, ValueTuple{string, string}[])"/>
    public async Task<string> VisitAsync(HttpClient node, string path = "/catalog/1", params (string Name, string Value)[] fields)
    {
        using var response = await SendAsync(node, HttpMethod.Get, path, null, fields);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response.Headers.GetValues("X-Backend").Single();
    }

    public Task<HttpResponseMessage> SendAsync(
        GatewayNode node, HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] fields) =>
        SendAsync(node.Public, method, path, content, fields);

    public async Task<HttpResponseMessage> SendAsync(
        HttpClient node, HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        // One site, whichever node serves it.
        request.Headers.Host = "shop.example";
        if (_cookies.Count > 0)
            request.Headers.Add("Cookie", string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        var response = await node.SendAsync(request);
        LastSet = response.Headers.TryGetValues("Set-Cookie", out var values) ? [.. values] : [];
        foreach (var cookie in LastSet)
        {
            var pair = cookie.Split(';')[0].Split('=', 2);
            _cookies[pair[0]] = pair[1];
        }

        return response;
    }
}

/// <summary>Two gateways and two backends for all tests of a class.</summary>
public sealed class SessionsFixture : IAsyncLifetime
{
    internal SessionsWorld World { get; private set; } = null!;

    public async Task InitializeAsync() => World = await SessionsWorld.StartAsync(backends: 2);

    public async Task DisposeAsync() => await World.DisposeAsync();
}

/// <summary>The system's time, set forward.</summary>
internal sealed class AdvancedTime : TimeProvider
{
    private long _ticks;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Volatile.Read(ref _ticks));

    public override long GetTimestamp() =>
        System.GetTimestamp() + (long)(TimeSpan.FromTicks(Volatile.Read(ref _ticks)).TotalSeconds * TimestampFrequency);
}
