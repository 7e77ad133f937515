using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Admin;

public sealed class OpenApiTests
{
    // For probes, scrapers and readers of the document: not described in it.
    private static readonly string[] Undescribed = ["GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json"];

    [Fact]
    public async Task The_document_describes_every_endpoint_of_the_admin_listener_and_no_other()
    {
        await using var node = await GatewayNode.StartAsync();

        var document = await node.Admin.GetFromJsonAsync<JsonElement>("/openapi.json");
        var index = await node.Admin.GetFromJsonAsync<JsonElement>("/");

        var described = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => $"{operation.Name.ToUpperInvariant()} {path.Name}"));
        var existing = index.GetProperty("endpoints").EnumerateArray().Select(endpoint => endpoint.GetString()!);
        Assert.Equal(existing.Except(Undescribed).Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_says_what_a_purge_takes_and_answers()
    {
        await using var node = await GatewayNode.StartAsync();

        var document = await node.Admin.GetFromJsonAsync<JsonElement>("/openapi.json");

        var purge = document.GetProperty("paths").GetProperty("/cache/purge").GetProperty("post");
        Assert.Contains(purge.GetProperty("parameters").EnumerateArray(), parameter => parameter.GetProperty("name").GetString() == "wait");
        foreach (var status in new[] { "200", "202", "400" })
            Assert.True(purge.GetProperty("responses").TryGetProperty(status, out _), status);
        var request = document.GetProperty("components").GetProperty("schemas").GetProperty("PurgeRequest").GetProperty("properties");
        foreach (var name in new[] { "url", "prefix", "tag", "route", "all", "soft" })
            Assert.True(request.TryGetProperty(name, out _), name);
    }

    [Fact]
    public async Task The_public_listener_has_no_such_document()
    {
        await using var node = await GatewayNode.StartAsync();

        using var response = await node.Public.GetAsync("/openapi.json");

        Assert.Equal(System.Net.HttpStatusCode.NotFound, response.StatusCode);
    }
}
