using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Chaos;

/// <summary>
/// One client a feature and node, asking on and on. A request fails when its answer is none that the origin or a stored
/// response permits, or comes later than the origin's time and two seconds.
/// </summary>
internal sealed class Traffic(StorefrontWorld world, string token, string revoked) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);
    // The backend's own: it loads the session and stores it again, each within the deadline of a call to Redis.
    private static readonly TimeSpan CartTime = 2 * new Gateway.Redis.RedisOptions().Deadline;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(3);

    private readonly ConcurrentQueue<string> _failures = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients = [];
    private int _requests;

    /// <summary>Makes what the clients ask for: a link that all nodes know, a token, and one that is revoked.</summary>
    /// <param name="beforeRevocation">Called between the link and the revocation.</param>
    public static async Task<Traffic> PrepareAsync(StorefrontWorld world, Func<Task>? beforeRevocation = null)
    {
        await StorefrontWorld.ChangeAsync(world.NodeA, "/links", new { slug = "known", target = "https://example.com/" });
        if (beforeRevocation is not null)
            await beforeRevocation();
        var revoked = await world.IssueTokenAsync("bob", "builder");
        await StorefrontWorld.ChangeAsync(world.NodeA, "/tokens/revoke?wait=true", new { token = revoked });
        // What a node never read it cannot know without Redis.
        foreach (var node in new[] { world.NodeA, world.NodeB })
            await Eventually.TrueAsync(async () => (await node.Public.GetAsync("/s/known")).StatusCode == HttpStatusCode.Found, "the link is known");
        return new Traffic(world, await world.IssueTokenAsync("alice", "wonderland"), revoked);
    }

    /// <summary>Whether Redis lost its data, which a link may then be missing from.</summary>
    public bool LinksMayBeLost { get; set; }

    public void Start()
    {
        var product = 0;
        foreach (var node in new[] { world.NodeA, world.NodeB })
        {
            var own = (++product).ToString(CultureInfo.InvariantCulture);
            var client = GatewayNode.CreateClient(node.PublicAddress);
            Run("catalog", client, () => Get("/catalog/1"), (status, _) => status == 200);
            Run("limited", client, () => Get("/limited/2"), (status, _) => status is 200 or 429);
            Run("account", client, () => Get("/account", token), (status, body) => status == 200 && body.Contains("alice", StringComparison.Ordinal));
            Run("revoked", client, () => Get("/account", revoked), (status, _) => status == 401);
            Run("link", client, () => Get("/s/known"), (status, _) => status == 302 || (status == 404 && LinksMayBeLost));
            _clients.Add(KeepACartAsync(client));
            _clients.Add(ChangeAPriceAsync(client, own));
        }
    }

    /// <summary>Lets it flow for a while.</summary>
    /// <param name="length">How long; by default 3 s.</param>
    public Task PassAsync(TimeSpan? length = null)
    {
        var before = Volatile.Read(ref _requests);
        var phase = Stopwatch.StartNew();
        return Eventually.TrueAsync(
            () => phase.Elapsed > (length ?? Phase) && Volatile.Read(ref _requests) > before + 100, "the traffic flows", TimeSpan.FromSeconds(30));
    }

    /// <summary>No request failed, and no node logged an exception.</summary>
    public void AssertNoneFailed()
    {
        Assert.Empty(_failures.Take(20));
        // YARP reports a probe of a backend that a busy machine answers late.
        Assert.DoesNotContain(world.NodeA.Log.Exceptions.Concat(world.NodeB.Log.Exceptions),
            logged => !logged.Category.StartsWith("Yarp.ReverseProxy.Health", StringComparison.Ordinal));
    }

    /// <summary>Ends the traffic after the requests under way.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private static HttpRequestMessage Get(string path, string? token = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (token is not null)
            request.Headers.Authorization = new("Bearer", token);
        return request;
    }

    private void Run(string what, HttpClient client, Func<HttpRequestMessage> request, Func<int, string, bool> isRight) => _clients.Add(RepeatAsync(
        async () => await AskAsync(what, client, request(), isRight)));

    // Every answer comes from the backend that the first one came from. The cart itself lives in the backends' Redis:
    // without it they answer 503, which is an answer of the origin.
    private async Task KeepACartAsync(HttpClient client)
    {
        using var first = await client.GetAsync("/cart", CancellationToken.None);
        var backend = first.Headers.GetValues("X-Backend").Single();
        var cookies = first.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]).ToList();
        await RepeatAsync(async () =>
        {
            var request = Get("/cart");
            request.Headers.Add("Cookie", cookies);
            await AskAsync("cart", client, request, (status, _) => status is 200 or 503, backend);
        });
    }

    // A successful PUT invalidates (RFC 9111 §4.4): on this node at once, with Redis or without.
    private async Task ChangeAPriceAsync(HttpClient client, string product)
    {
        var amount = 1;
        await RepeatAsync(async () =>
        {
            amount++;
            var change = new HttpRequestMessage(HttpMethod.Put, $"/prices/{product}") { Content = JsonContent.Create(new { amount }) };
            await AskAsync("price change", client, change, (status, _) => status == 200);
            await AskAsync("price", client, Get($"/prices/{product}"), (status, body) => status == 200 && AmountIn(body) == amount);
        });
    }

    private static decimal AmountIn(string body)
    {
        using var price = JsonDocument.Parse(body);
        return price.RootElement.GetProperty("amount").GetDecimal();
    }

    private async Task RepeatAsync(Func<Task> step)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await step();
                await Task.Delay(Pause, TimeProvider.System, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The traffic ends.
        }
    }

    private async Task AskAsync(string what, HttpClient client, HttpRequestMessage request, Func<int, string, bool> isRight, string? backend = null)
    {
        var limit = Limit + (backend is null ? TimeSpan.Zero : CartTime);
        var started = Stopwatch.StartNew();
        try
        {
            using var response = await client.SendAsync(request, CancellationToken.None);
            var body = await response.Content.ReadAsStringAsync(CancellationToken.None);
            Interlocked.Increment(ref _requests);
            if (!isRight((int)response.StatusCode, body))
                _failures.Enqueue($"{what}: {(int)response.StatusCode} {response.Headers.TryGetValues("Cache-Status", out var cache)} {cache?.FirstOrDefault()} {body}");
            else if (started.Elapsed > limit)
                _failures.Enqueue($"{what}: after {started.Elapsed}");
            else if (backend is not null && !response.Headers.GetValues("X-Backend").Contains(backend))
                _failures.Enqueue($"{what}: moved from {backend} to {string.Join(", ", response.Headers.GetValues("X-Backend"))}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            _failures.Enqueue($"{what}: {e.Message} after {started.Elapsed}");
        }
        finally
        {
            request.Dispose();
        }
    }
}
