using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.SampleBackend;

public sealed class ScriptTests(StorefrontFixture fixture) : IClassFixture<StorefrontFixture>
{
    private readonly HttpClient _client = fixture.Backend.Client;
    private readonly string _id = Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Status_fields_and_body_are_as_the_query_says()
    {
        using var response = await _client.GetAsync(Script(
            "status=404&header=Cache-Control:max-age%3D9&header=Set-Cookie:a%3D1&header=Set-Cookie:b%3D2&header=X-Text:gr%C3%BCn&header=Content-Type:text/css&body=nothing"));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("max-age=9", response.Field("Cache-Control"));
        Assert.Equal(["a=1", "b=2"], response.Headers.GetValues("Set-Cookie"));
        Assert.Equal("text/css", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nothing", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_large_body_has_the_announced_length_and_the_known_bytes()
    {
        var body = await _client.GetByteArrayAsync(Script("size=300001"));

        Assert.Equal(300_001, body.Length);
        Assert.All(Enumerable.Range(0, body.Length), i => Assert.Equal('a' + (i % 26), body[i]));
    }

    [Fact]
    public async Task A_chunked_body_has_no_length()
    {
        using var response = await _client.GetAsync(Script("size=5000&chunked=1&chunkSize=1000&bodyDelay=1"));

        Assert.True(response.Headers.TransferEncodingChunked);
        Assert.Equal(5000, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Theory]
    [InlineData("size=200000&cut=150000", 150_000)]
    [InlineData("size=1000&cut=0", 0)]
    [InlineData("size=1000&cut=600&chunked=1", 600)]
    [InlineData("size=1000&cut=1000&chunked=1", 1000)]
    public async Task A_cut_body_ends_after_so_many_bytes_with_a_broken_connection(string query, int bytes)
    {
        using var response = await _client.GetAsync(Script(query), HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        if (!query.Contains("chunked", StringComparison.Ordinal)) Assert.True(response.Content.Headers.ContentLength > bytes);

        using var received = new MemoryStream();
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(received));
        Assert.Equal(bytes, received.Length);
    }

    [Fact]
    public async Task An_aborted_answer_has_no_fields_at_all()
    {
        await Assert.ThrowsAsync<HttpRequestException>(() => _client.GetAsync(Script("abort=1")));
    }

    [Theory]
    [InlineData("etag=v1", "If-None-Match", "\"v1\"", 304)]
    [InlineData("etag=v1", "If-None-Match", "W/\"v1\"", 304)]
    [InlineData("etag=v1", "If-None-Match", "*", 304)]
    [InlineData("etag=v1", "If-None-Match", "\"v2\"", 200)]
    [InlineData("etag=W/%22v1%22", "If-None-Match", "W/\"v1\"", 304)]
    [InlineData("etag=v1&status=500", "If-None-Match", "\"v1\"", 500)]
    [InlineData("lastModified=Wed,%2001%20Jan%202025%2008:00:00%20GMT", "If-Modified-Since", "Wed, 01 Jan 2025 08:00:00 GMT", 304)]
    [InlineData("lastModified=Wed,%2001%20Jan%202025%2008:00:00%20GMT", "If-Modified-Since", "Wed, 01 Jan 2025 07:59:59 GMT", 200)]
    public async Task Conditions_are_answered_with_304_where_they_hold(string query, string name, string value, int status)
    {
        using var response = await _client.GetAsync(Script(query + "&header=Cache-Control:max-age%3D5"), (name, value));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("max-age=5", response.Field("Cache-Control"));
        Assert.Equal(status == 304, (await response.Content.ReadAsByteArrayAsync()).Length == 0);
    }

    [Fact]
    public async Task Answers_are_numbered_by_path_and_run_and_counted_and_logged()
    {
        Assert.Equal("seq=1\nfr\n", await _client.GetStringAsync(Script("seq=1&body=fr%0A")));
        Assert.Equal("seq=2\nAccept-Language: de\n", await TextAsync(Script("seq=1&echo=Accept-Language"), ("Accept-Language", "de")));
        Assert.Equal("seq=1\n", await _client.GetStringAsync(Script("seq=1", path: "other")));

        Assert.Equal(3, await CountAsync());
        Assert.Equal(2, await CountAsync("&path=/_script/page"));
        var log = await _client.GetFromJsonAsync<JsonElement>($"/_script/log?id={_id}");
        Assert.Equal("de", log[1].GetProperty("fields").GetProperty("Accept-Language")[0].GetString());

        using var reset = await _client.PostAsync($"/_script/reset?id={_id}", null);
        Assert.Equal(0, await CountAsync());
        Assert.Equal("[]", await _client.GetStringAsync($"/_script/log?id={_id}"));
    }

    [Fact]
    public async Task One_address_can_change_its_answer()
    {
        using var before = await _client.GetAsync(Script("etag=v1"));
        using var set = await _client.PostAsync($"/_script/set?id={_id}&status=503&body=down", null);
        using var after = await _client.GetAsync(Script("etag=v1"));

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, set.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, after.StatusCode);
    }

    [Fact]
    public async Task A_held_answer_waits_until_it_is_released()
    {
        var held = _client.GetAsync(Script("hold=1"));
        await Eventually.TrueAsync(async () => await CountAsync() == 1, "the request arrives");
        Assert.False(held.IsCompleted);

        using var release = await _client.PostAsync($"/_script/release?id={_id}", null);

        using var response = await held;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("status=199", "status")]
    [InlineData("status=600", "status")]
    [InlineData("status=abc", "status")]
    [InlineData("status=200&status=404", "status")]
    [InlineData("size=-1", "size")]
    [InlineData("size=268435457", "size")]
    [InlineData("size=1&body=x", "body, size")]
    [InlineData("delay=30001", "delay")]
    [InlineData("bodyDelay=30001", "bodyDelay")]
    [InlineData("bodyDelay=1&size=2000&chunkSize=1", "bodyDelay")]
    [InlineData("chunkSize=0", "chunkSize")]
    [InlineData("chunked=yes", "chunked")]
    [InlineData("cut=x", "cut")]
    [InlineData("header=no-colon", "header")]
    [InlineData("header=bad%20name:x", "header")]
    [InlineData("header=X:a%0D%0AY:b", "header")]
    [InlineData("header=X:%E2%82%AC", "header")]
    [InlineData("header=Content-Length:5", "header")]
    [InlineData("header=Transfer-Encoding:chunked", "header")]
    [InlineData("etag=a%20b%22", "etag")]
    [InlineData("lastModified=yesterday", "lastModified")]
    [InlineData("echo=", "echo")]
    public async Task A_bad_script_is_refused_with_the_parameter_named(string query, string named)
    {
        foreach (var send in new[] { _client.GetAsync(Script(query)), _client.PostAsync($"/_script/set?id={_id}&{query}", null) })
        {
            using var response = await send;
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
            Assert.StartsWith(named + ":", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_run_needs_a_name_that_can_be_kept()
    {
        foreach (var id in new[] { "", new string('x', 101), "a%20b", "%C3%BC", "a&id=b" })
        {
            using var response = await _client.GetAsync($"/_script/page?id={id}");
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Fact]
    public async Task Outside_of_development_there_are_no_scripts()
    {
        await using var production = await Storefront.StartAsync("Script:Enabled=false");
        using var response = await production.Client.GetAsync("/_script/page");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private string Script(string query, string path = "page") => $"/_script/{path}?id={_id}&{query}";

    private async Task<string> TextAsync(string uri, params (string, string)[] fields)
    {
        using var response = await _client.GetAsync(uri, fields);
        return await response.Content.ReadAsStringAsync();
    }

    private async Task<long> CountAsync(string more = "") =>
        (await _client.GetFromJsonAsync<JsonElement>($"/_script/count?id={_id}{more}")).GetProperty("count").GetInt64();
}
