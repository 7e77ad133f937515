using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Gateways in front of one origin, every path cached by the policy <c>origin</c>.</summary>
internal static class CacheTestNode
{
    public const string Host = "shop.example";

    public static Task<GatewayNode> StartAsync(TestOrigin origin, RedisServer redis, object? policy = null) =>
        GatewayNode.StartAsync(Config(origin, policy), redis.ConnectionString);

    public static object Config(TestOrigin origin, object? policy = null) => new
    {
        ReverseProxy = origin.ProxySection(("OutputCachePolicy", "origin")),
        OutputCache = new { Policies = new Dictionary<string, object> { ["origin"] = policy ?? new { } } },
        Redis = new { Deadline = "00:00:02" },
    };

    public static string CacheStatus(this HttpResponseMessage response) =>
        response.Headers.TryGetValues("Cache-Status", out var values) ? string.Join(", ", values) : "";

    public static Task<HttpResponseMessage> GetAsync(this GatewayNode node, string path, params (string Name, string Value)[] fields) =>
        node.SendAsync(HttpMethod.Get, path, fields);

    /// <summary>Sends a request to the one site that all nodes serve.</summary>
    public static async Task<HttpResponseMessage> SendAsync(
        this GatewayNode node, HttpMethod method, string path, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Host = Host;
        foreach (var (name, value) in fields)
            request.Headers.TryAddWithoutValidation(name, value);
        return await node.Public.SendAsync(request);
    }

    public static Task<string> TextAsync(this HttpResponseMessage response) => response.Content.ReadAsStringAsync();
}
