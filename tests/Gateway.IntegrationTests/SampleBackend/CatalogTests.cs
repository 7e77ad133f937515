using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.SampleBackend;

public sealed class CatalogTests(StorefrontFixture fixture) : IClassFixture<StorefrontFixture>
{
    private readonly HttpClient _client = fixture.Backend.Client;

    [Fact]
    public async Task A_product_carries_what_a_cache_needs_to_know()
    {
        using var response = await _client.GetAsync("/catalog/7");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("public, max-age=60", response.Field("Cache-Control"));
        Assert.Equal("catalog product-7", response.Field("Surrogate-Key"));
        Assert.Equal("Accept, Accept-Language", response.Field("Vary"));
        Assert.False(response.Headers.ETag!.IsWeak);
        Assert.NotNull(response.Content.Headers.LastModified);
        Assert.Equal("fixture", response.Field("X-Backend"));
    }

    [Fact]
    public async Task A_product_that_did_not_change_is_304_with_the_fields_that_refresh_a_stored_response()
    {
        using var first = await _client.GetAsync("/catalog/7");
        var (etag, modified) = (first.Field("ETag"), first.Field("Last-Modified"));

        (string, string)[] conditions = [("If-None-Match", etag), ("If-None-Match", $"\"other\", W/{etag}"), ("If-Modified-Since", modified)];
        foreach (var condition in conditions)
        {
            using var again = await _client.GetAsync("/catalog/7", condition);
            Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
            Assert.Equal(etag, again.Field("ETag"));
            Assert.Equal("public, max-age=60", again.Field("Cache-Control"));
            Assert.Equal("Accept, Accept-Language", again.Field("Vary"));
        }
    }

    [Theory]
    [InlineData("If-None-Match", "\"other\"")]
    [InlineData("If-Modified-Since", "Wed, 01 Jan 2020 00:00:00 GMT")]
    public async Task A_condition_that_does_not_hold_gets_the_whole_product(string name, string value)
    {
        using var response = await _client.GetAsync("/catalog/7", (name, value));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.NotEmpty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("", "en", "Oak lamp")]
    [InlineData("de", "de", "Lampe aus Eiche")]
    [InlineData("fr-CH, de;q=0.8", "fr", "Lampe en chêne")]
    [InlineData("it, de;q=0.2, fr;q=0.4", "fr", "Lampe en chêne")]
    [InlineData("ja", "en", "Oak lamp")]
    [InlineData("en;q=0, *", "de", "Lampe aus Eiche")]
    [InlineData("!!; ,;q=", "en", "Oak lamp")]
    public async Task The_language_is_the_best_one_that_the_client_accepts(string accepted, string language, string name)
    {
        using var response = await _client.GetAsync("/catalog/7", ("Accept-Language", accepted));
        var product = await response.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(language, response.Field("Content-Language"));
        Assert.Equal(name, product.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("*/*", "application/json")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "text/html")]
    [InlineData("text/html;q=0.5, application/json", "application/json")]
    [InlineData("text/*", "text/html")]
    [InlineData("image/png", "application/json")]
    public async Task Browsers_get_html_and_programs_json(string accept, string type)
    {
        foreach (var path in new[] { "/catalog", "/catalog/7" })
        {
            using var response = await _client.GetAsync(path, ("Accept", accept));
            Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public async Task Each_representation_has_an_etag_of_its_own_and_the_same_on_every_backend()
    {
        await using var other = await Storefront.StartAsync("Name=other");
        var tags = new HashSet<string>();
        foreach (var language in new[] { "en", "de", "fr" })
        {
            using var here = await _client.GetAsync("/catalog/7", ("Accept-Language", language));
            using var there = await other.Client.GetAsync("/catalog/7", ("Accept-Language", language));
            Assert.Equal(here.Field("ETag"), there.Field("ETag"));
            Assert.True(tags.Add(here.Field("ETag")));
        }
    }

    [Fact]
    public async Task Pages_of_the_list_hold_every_product_once()
    {
        var ids = new List<string>();
        for (var next = "/catalog?size=75&sort=-name"; next is not null;)
        {
            var page = await _client.GetFromJsonAsync<JsonElement>(next);
            ids.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString()!));
            next = page.TryGetProperty("next", out var link) ? link.GetString() : null;
        }

        Assert.Equal(200, ids.Count);
        Assert.Equal(200, ids.Distinct().Count());
    }

    [Theory]
    [InlineData("page=0", "page")]
    [InlineData("page=10001", "page")]
    [InlineData("page=1&page=2", "page")]
    [InlineData("page=", "page")]
    [InlineData("size=101", "size")]
    [InlineData("size=-1", "size")]
    [InlineData("size=99999999999999999999", "size")]
    [InlineData("sort=price", "sort")]
    public async Task A_page_that_cannot_be_is_refused_with_the_parameter_named(string query, string named)
    {
        using var response = await _client.GetAsync($"/catalog?{query}");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith(named + ":", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/catalog/0")]
    [InlineData("/catalog/007")]
    [InlineData("/catalog/201")]
    [InlineData("/catalog/none/image")]
    [InlineData("/catalog/slow/none")]
    [InlineData("/prices/none")]
    public async Task What_is_not_there_is_a_404_that_may_be_kept_for_five_seconds(string path)
    {
        using var response = await _client.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("public, max-age=5", response.Field("Cache-Control"));
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task An_image_is_immutable_and_has_a_validator()
    {
        using var image = await _client.GetAsync("/catalog/7/image");
        using var again = await _client.GetAsync("/catalog/7/image", ("If-None-Match", image.Field("ETag")));

        Assert.Equal("image/svg+xml", image.Content.Headers.ContentType!.MediaType);
        Assert.Contains("max-age=86400", image.Field("Cache-Control"), StringComparison.Ordinal);
        Assert.Contains("immutable", image.Field("Cache-Control"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [Fact]
    public async Task The_slow_page_takes_as_long_as_configured_and_may_be_served_stale()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var slow = await Storefront.StartAsync(time, "Catalog:SlowDelay=00:00:20");
        var pending = slow.Client.GetAsync("/catalog/slow/7");
        await Eventually.TrueAsync(() => CountAsync(slow, "/catalog/slow/7", 1), "the request arrives");
        Assert.False(pending.IsCompleted);

        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(20));
                return pending.IsCompleted;
            },
            "the page is ready");

        using var response = await pending;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("stale-while-revalidate=30", response.Field("Cache-Control"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_are_counted_by_path()
    {
        using (await _client.GetAsync("/catalog/42?size=1")) { }
        using (await _client.GetAsync("/catalog/42", ("If-None-Match", "*"))) { }

        Assert.True(await CountAsync(fixture.Backend, "/catalog/42", 2));
        Assert.True(await CountAsync(fixture.Backend, "/catalog/nobody-asked", 0));
        using var bad = await _client.GetAsync("/_origin/count");
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
    }

    private static async Task<bool> CountAsync(Storefront backend, string path, long expected) =>
        (await backend.Client.GetFromJsonAsync<JsonElement>($"/_origin/count?path={path}")).GetProperty("count").GetInt64() == expected;
}
