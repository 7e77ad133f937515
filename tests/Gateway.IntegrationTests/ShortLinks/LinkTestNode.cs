using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>Gateways that answer short links under <c>/s</c>.</summary>
internal static class LinkTestNode
{
    public const string Target = "https://shop.example/catalog/1?a=%41#top";

    public static Task<GatewayNode> StartAsync(RedisServer? redis, object? links = null, string deadline = "00:00:05") => GatewayNode.StartAsync(
        new { ShortLinks = links ?? new { Enabled = true, FlushInterval = "00:00:00.100" }, Redis = new { Deadline = deadline } }, redis?.ConnectionString);

    public static async Task<HttpResponseMessage> CreateAsync(this GatewayNode node, object link, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/links") { Content = JsonContent.Create(link) };
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await node.Admin.SendAsync(request);
    }

    public static Task<HttpResponseMessage> FollowAsync(this GatewayNode node, string slug) => node.Public.GetAsync($"/s/{slug}");

    public static async Task<HttpResponseMessage> AskAsync(this GatewayNode node, string slug)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/s/{slug}");
        return await node.Public.SendAsync(request);
    }

    public static async Task<long> VisitsAsync(this GatewayNode node, string slug) =>
        (await node.Admin.GetFromJsonAsync<JsonElement>($"/links/{slug}")).GetProperty("visits").GetInt64();

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response) => await response.Content.ReadFromJsonAsync<JsonElement>();

    public static string CacheControl(this HttpResponseMessage response) => response.Headers.CacheControl?.ToString() ?? "";

    /// <summary>The JSON strings of a file beside this one, one a line.</summary>
    public static IEnumerable<string> ReadList(string file, [CallerFilePath] string path = "") =>
        File.ReadLines(Path.Combine(Path.GetDirectoryName(path)!, file))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => JsonSerializer.Deserialize<string>(line)!);
}
