using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using global::SampleBackend.Hosting;

namespace Gateway.IntegrationTests.SampleBackend;

public sealed class CartTests(StorefrontFixture fixture) : IClassFixture<StorefrontFixture>
{
    [Fact]
    public async Task A_cart_begun_on_one_backend_goes_on_at_the_other()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var a = await Storefront.StartAsync("Name=a", $"Redis:Configuration={redis.ConnectionString}");
        await using var b = await Storefront.StartAsync("Name=b", $"Redis:Configuration={redis.ConnectionString}");
        var cookies = new CookieContainer();
        using var atA = a.NewClient(cookies);
        using var atB = b.NewClient(cookies);

        using var added = await AddAsync(atA, "3", 2);
        using var more = await AddAsync(atB, "3", 1);
        using var other = await AddAsync(atA, "9", 1);
        var cart = await atB.GetFromJsonAsync<JsonElement>("/cart");

        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        Assert.Equal("b", cart.GetProperty("backend").GetString());
        Assert.Equal(4, cart.GetProperty("pieces").GetInt32());
        Assert.Equal([("3", 3), ("9", 1)], Items(cart));

        using var removed = await atB.DeleteAsync("/cart/items/3");
        using var again = await atA.DeleteAsync("/cart/items/3");
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
        Assert.Equal([("9", 1)], Items(await atA.GetFromJsonAsync<JsonElement>("/cart")));
    }

    [Fact]
    public async Task Everything_the_carts_leave_in_redis_carries_the_prefix_and_the_sessions_expire()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var backend = await Storefront.StartAsync($"Redis:Configuration={redis.ConnectionString}", "Redis:KeyPrefix=shop:");
        using (await AddAsync(backend.Client, "3", 2)) { }

        await using var connection = await redis.ConnectAsync();
        var keys = connection.GetServers()[0].Keys().Select(key => key.ToString()).ToArray();
        Assert.All(keys, key => Assert.StartsWith("shop:", key, StringComparison.Ordinal));
        var session = Assert.Single(keys, key => key.StartsWith("shop:session", StringComparison.Ordinal));
        Assert.NotNull(await connection.GetDatabase().KeyTimeToLiveAsync(session));
        Assert.Contains("shop:keys", keys);
    }

    [Fact]
    public async Task Without_redis_the_cart_says_so_at_once_the_shop_goes_on_and_nothing_is_lost()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var backend = await Storefront.StartAsync($"Redis:Configuration={redis.ConnectionString}");
        using var client = backend.NewClient(new CookieContainer());
        using (await AddAsync(client, "3", 2)) { }

        redis.Pause();
        await AssertUnavailableAsync(() => client.GetAsync("/cart"));
        await AssertUnavailableAsync(() => AddAsync(client, "4", 1));
        await AssertUnavailableAsync(() => client.DeleteAsync("/cart/items/3"));
        var newcomer = new CookieContainer();
        using (var other = backend.NewClient(newcomer)) await AssertUnavailableAsync(() => AddAsync(other, "4", 1));
        Assert.Equal(0, newcomer.Count);
        using (var page = await client.GetAsync("/catalog/1")) Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        redis.Resume();

        await Eventually.TrueAsync(async () => await StatusAsync(client) == HttpStatusCode.OK, "the cart is back");
        Assert.Contains(("3", 2), Items(await client.GetFromJsonAsync<JsonElement>("/cart")));
    }

    [Fact]
    public async Task A_backend_starts_without_redis_and_finds_it_when_it_comes()
    {
        await using var redis = await RedisServer.StartAsync();
        var cookies = new CookieContainer();
        await redis.KillAsync();
        await using var backend = await Storefront.StartAsync($"Redis:Configuration={redis.ConnectionString}");
        using var client = backend.NewClient(cookies);
        await AssertUnavailableAsync(() => AddAsync(client, "3", 2));
        Assert.Equal(0, cookies.Count);

        await redis.RestartAsync();

        await Eventually.TrueAsync(async () => await StatusAsync(client) == HttpStatusCode.OK, "the cart works");
        using var added = await AddAsync(client, "3", 2);
        Assert.Equal(HttpStatusCode.Created, added.StatusCode);
    }

    [Theory]
    [InlineData("""{"productId": "none", "quantity": 1}""", "productId")]
    [InlineData("""{"quantity": 1}""", "productId")]
    [InlineData("""{"productId": null, "quantity": 1}""", "productId")]
    [InlineData("""{"productId": "1", "quantity": 0}""", "quantity")]
    [InlineData("""{"productId": "1"}""", "quantity")]
    [InlineData("""{"productId": "1", "quantity": 100}""", "quantity")]
    [InlineData("""{"productId": "1", "quantity": 1.5}""", "$.quantity")]
    [InlineData("""{"productId": 1, "quantity": 1}""", "$.productId")]
    [InlineData("""{"productId": "1", "quantity": 1, "price": 0}""", "$.price")]
    [InlineData("[]", "$")]
    public async Task A_bad_item_is_refused_with_what_is_wrong_named(string body, string named)
    {
        using var response = await fixture.Backend.Client.PostAsync("/cart/items", Http.Json(body));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains(named, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!, StringComparison.Ordinal);
        Assert.Equal("", response.Field("Set-Cookie"));
    }

    [Fact]
    public async Task A_cart_has_bounds_and_is_never_stored()
    {
        using var client = fixture.Backend.NewClient(new CookieContainer());
        for (var id = 1; id <= 50; id++)
        {
            using var added = await AddAsync(client, $"{id}", 1);
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
            Assert.Contains("no-store", added.Field("Cache-Control"), StringComparison.Ordinal);
        }

        using var product = await AddAsync(client, "51", 1);
        using var pieces = await AddAsync(client, "1", 99);
        using var cart = await client.GetAsync("/cart");

        Assert.Equal(HttpStatusCode.BadRequest, product.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, pieces.StatusCode);
        Assert.Contains("no-store", cart.Field("Cache-Control"), StringComparison.Ordinal);
        Assert.Equal(50, (await cart.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("pieces").GetInt32());
    }

    [Fact]
    public async Task A_forged_session_cookie_is_an_empty_cart()
    {
        using var response = await fixture.Backend.Client.GetAsync("/cart", ("Cookie", "storefront-session=CfDJ8nonsense"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(0, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("pieces").GetInt32());
    }

    [Fact]
    public async Task A_redis_configuration_that_cannot_be_read_stops_the_start()
    {
        var wrong = await Assert.ThrowsAsync<ConfigurationException>(() => Storefront.StartAsync("Redis:Configuration=localhost,noSuchOption=1"));

        Assert.Contains("Redis:Configuration", wrong.Message, StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> AddAsync(HttpClient client, string productId, int quantity) =>
        client.PostAsync("/cart/items", Http.Json(JsonSerializer.Serialize(new { productId, quantity })));

    private static (string, int)[] Items(JsonElement cart) =>
        [.. cart.GetProperty("items").EnumerateArray().Select(item => (item.GetProperty("productId").GetString()!, item.GetProperty("quantity").GetInt32()))];

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client)
    {
        using var response = await client.GetAsync("/cart");
        return response.StatusCode;
    }

    private static async Task AssertUnavailableAsync(Func<Task<HttpResponseMessage>> send)
    {
        var waited = Stopwatch.StartNew();
        using var response = await send();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Contains("no-store", response.Field("Cache-Control"), StringComparison.Ordinal);
        Assert.True(waited.Elapsed < TimeSpan.FromSeconds(2), $"It took {waited.Elapsed}.");
    }
}
