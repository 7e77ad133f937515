using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.SampleBackend;

/// <summary>One backend without Redis for all tests of a class.</summary>
public sealed class StorefrontFixture : IAsyncLifetime
{
    public Storefront Backend { get; private set; } = null!;

    public async Task InitializeAsync() => Backend = await Storefront.StartAsync("Name=fixture");

    public async Task DisposeAsync() => await Backend.DisposeAsync();
}

internal static class Http
{
    public static async Task<HttpResponseMessage> SendAsync(
        this HttpClient client, HttpMethod method, string uri, HttpContent? content = null, params (string Name, string Value)[] fields)
    {
        using var request = new HttpRequestMessage(method, uri) { Content = content };
        foreach (var (name, value) in fields) Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return await client.SendAsync(request);
    }

    public static Task<HttpResponseMessage> GetAsync(this HttpClient client, string uri, params (string Name, string Value)[] fields) =>
        client.SendAsync(HttpMethod.Get, uri, null, fields);

    public static string Field(this HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) || response.Content.Headers.TryGetValues(name, out values)
            ? string.Join(", ", values)
            : "";

    public static StringContent Json(string json) => new(json, System.Text.Encoding.UTF8, "application/json");

    public static FormUrlEncodedContent Form(params (string Name, string Value)[] parameters) =>
        new(parameters.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)));
}
