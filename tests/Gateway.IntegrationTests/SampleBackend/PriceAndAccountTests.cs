using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Gateway.IntegrationTests.SampleBackend;

public sealed class PriceAndAccountTests(StorefrontFixture fixture) : IClassFixture<StorefrontFixture>
{
    private readonly HttpClient _client = fixture.Backend.Client;

    [Fact]
    public async Task A_price_that_was_put_is_the_price_and_has_another_etag()
    {
        using var before = await _client.GetAsync("/prices/5");
        using var put = await _client.SendAsync(HttpMethod.Put, "/prices/5", Http.Json("""{"amount": 12.34}"""));
        using var after = await _client.GetAsync("/prices/5", ("If-None-Match", before.Field("ETag")));

        Assert.Equal("s-maxage=5, max-age=0", string.Join(", ", before.Field("Cache-Control").Split(", ").OrderDescending()));
        Assert.Equal("prices price-5", before.Field("Surrogate-Key"));
        Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Equal("no-store", put.Field("Cache-Control"));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        var price = await after.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(12.34m, price.GetProperty("amount").GetDecimal());
        Assert.Equal(2, price.GetProperty("version").GetInt64());
    }

    [Theory]
    [InlineData("""{"amount": 0}""", 400)]
    [InlineData("""{"amount": -1}""", 400)]
    [InlineData("""{"amount": 1000000.01}""", 400)]
    [InlineData("""{"amount": 1.005}""", 400)]
    [InlineData("""{"amount": 1e400}""", 400)]
    [InlineData("""{"amount": "1"}""", 400)]
    [InlineData("""{"amount": null}""", 400)]
    [InlineData("""{"price": 1}""", 400)]
    [InlineData("{}", 400)]
    [InlineData("null", 400)]
    [InlineData("[1]", 400)]
    [InlineData("{\"amount\": 1", 400)]
    [InlineData("", 400)]
    [InlineData("\0", 400)]
    public async Task A_bad_price_is_a_problem_and_changes_nothing(string body, int status)
    {
        using var response = await _client.SendAsync(HttpMethod.Put, "/prices/6", Http.Json(body));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.NotEmpty((await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!);
        Assert.Equal(1, (await _client.GetFromJsonAsync<JsonElement>("/prices/6")).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task Bodies_of_the_wrong_type_or_size_and_prices_of_nothing_are_refused()
    {
        using var text = await _client.SendAsync(HttpMethod.Put, "/prices/6", new StringContent("""{"amount": 1}""", Encoding.UTF8, "text/plain"));
        using var large = await _client.SendAsync(HttpMethod.Put, "/prices/6", Http.Json($"{{\"amount\":{new string(' ', 70_000)}1}}"));
        using var none = await _client.SendAsync(HttpMethod.Put, "/prices/none", Http.Json("""{"amount": 1}"""));

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task The_account_is_private_and_shows_the_identity_but_not_the_credentials()
    {
        using var response = await _client.GetAsync("/account", ("X-Auth-Subject", "alice"), ("Authorization", "Bearer very-secret"), ("X-Other", "y"));
        var body = await response.Content.ReadAsStringAsync();
        var account = JsonDocument.Parse(body).RootElement;

        Assert.Equal("private", response.Field("Cache-Control"));
        Assert.Equal("alice", account.GetProperty("identity").GetProperty("X-Auth-Subject").GetString());
        Assert.Single(account.GetProperty("identity").EnumerateObject());
        Assert.True(account.GetProperty("authorizationReceived").GetBoolean());
        Assert.DoesNotContain("very-secret", body, StringComparison.Ordinal);
    }
}
