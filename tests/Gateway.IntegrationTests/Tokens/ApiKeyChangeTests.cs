using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.ChangeLog;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Tokens;

public sealed class ApiKeyChangeTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ApiKeyWorld _world = new();

    public Task InitializeAsync() => _world.InitializeAsync();

    public Task DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_revoked_key_is_refused_on_every_node_within_a_second()
    {
        var (key, id) = await _world.A.IssueAsync();
        Assert.Equal(200, await _world.B.KeyStatusAsync(key));

        using var answer = await _world.A.Admin.DeleteAsync($"/api-keys/{id}");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(401, await _world.A.KeyStatusAsync(key));
        await Eventually.TrueAsync(async () => await _world.B.KeyStatusAsync(key) == 401, "the other node refuses the key", Second);
        await using var fresh = await _world.StartNodeAsync();
        Assert.Equal(401, await fresh.KeyStatusAsync(key));
        Assert.Equal(HttpStatusCode.NotFound, (await _world.A.Admin.DeleteAsync($"/api-keys/{id}")).StatusCode);
    }

    [Fact]
    public async Task An_old_snapshot_of_Redis_does_not_bring_a_revoked_key_back()
    {
        var (key, id) = await _world.A.IssueAsync();
        Assert.Equal(200, await _world.B.KeyStatusAsync(key));
        await _world.Redis.SaveAsync();
        using (var answer = await _world.A.Admin.DeleteAsync($"/api-keys/{id}?wait=true"))
            Assert.Equal(2, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("applied").GetArrayLength());

        await _world.Redis.RestartAsync(withSavedData: true);
        await using var redis = await _world.Redis.ConnectAsync();
        await Eventually.TrueAsync(async () => await redis.GetDatabase().HashLengthAsync("gateway:{changes}:revocations") == 1, "the revocation is written back");

        foreach (var node in new[] { _world.A, _world.B })
            await Eventually.TrueAsync(async () => await node.KeyStatusAsync(key) == 401, "the node refuses the key");
        await using var fresh = await _world.StartNodeAsync();
        Assert.Equal(401, await fresh.KeyStatusAsync(key));
    }

    [Fact]
    public async Task After_a_rotation_both_keys_pass_for_the_overlap_and_then_the_new_one_alone()
    {
        var (old, id) = await _world.A.IssueAsync();
        Assert.Equal(200, await _world.B.KeyStatusAsync(old));

        var renewed = await _world.A.RotateAsync(id, overlapSeconds: 2);

        foreach (var node in new[] { _world.A, _world.B })
        {
            Assert.Equal(200, await node.KeyStatusAsync(old));
            Assert.Equal(200, await node.KeyStatusAsync(renewed));
        }

        foreach (var node in new[] { _world.A, _world.B })
            await Eventually.TrueAsync(async () => await node.KeyStatusAsync(old) == 401, "the overlap is over", 4 * Second);
        Assert.Equal(200, await _world.B.KeyStatusAsync(renewed));
    }

    [Fact]
    public async Task A_rotation_without_overlap_ends_the_old_key_everywhere_within_a_second()
    {
        var (old, id) = await _world.A.IssueAsync();
        Assert.Equal(200, await _world.B.KeyStatusAsync(old));

        var renewed = await _world.A.RotateAsync(id, overlapSeconds: 0);

        await Eventually.TrueAsync(async () => await _world.B.KeyStatusAsync(old) == 401, "the other node refuses the old key", Second);
        Assert.Equal(200, await _world.B.KeyStatusAsync(renewed));
    }

    [Fact]
    public async Task A_key_that_was_rotated_away_does_not_go_on_when_Redis_is_lost_before_anybody_looked()
    {
        var (old, id) = await _world.A.IssueAsync();
        Assert.Equal(200, await _world.B.KeyStatusAsync(old));
        var log = _world.B.Services.GetRequiredService<SharedChangeLog>();
        var before = log.Version;

        await _world.A.RotateAsync(id, overlapSeconds: 0);
        await Eventually.TrueAsync(() => log.Version != before, "the other node has applied the change");
        await _world.Redis.KillAsync();

        Assert.Equal(503, await _world.B.KeyStatusAsync(old));
    }

    [Fact]
    public async Task Without_Redis_known_keys_go_on_unknown_ones_get_503_and_no_change_is_made()
    {
        var (known, id) = await _world.A.IssueAsync();
        var (unknown, _) = await _world.A.IssueAsync();
        Assert.Equal(200, await _world.A.KeyStatusAsync(known));
        await _world.Redis.KillAsync();

        Assert.Equal(200, await _world.A.KeyStatusAsync(known));
        using var response = await _world.A.WithKeyAsync(unknown);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(Second, response.Headers.RetryAfter?.Delta);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _world.A.Admin.PostAsJsonAsync("/api-keys", new { owner = "bob" })).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _world.A.Admin.DeleteAsync($"/api-keys/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _world.A.Admin.GetAsync("/api-keys")).StatusCode);
        Assert.Empty(_world.A.Log.Exceptions);
    }

    [Fact]
    public async Task Keys_are_listed_without_what_could_open_anything()
    {
        var now = TimeProvider.System.GetUtcNow();
        var (first, id) = await _world.A.IssueAsync(new { owner = "alice", plan = "gold", note = "ends first", expires = now.AddHours(1) });
        var (second, other) = await _world.A.IssueAsync(new { owner = "bob" });
        var renewed = await _world.A.RotateAsync(id, 60);

        var text = await _world.B.Admin.GetStringAsync("/api-keys");
        var page = JsonDocument.Parse(text).RootElement;

        Assert.Equal([id, other], page.GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("id").GetString()));
        Assert.DoesNotContain(new[] { first, second, renewed }, key => text.Contains(key[^30..], StringComparison.Ordinal) || text.Contains(Gateway.Tokens.ApiKeys.ApiKeyText.Hash(key), StringComparison.Ordinal));
        var next = JsonDocument.Parse(await _world.A.Admin.GetStringAsync("/api-keys?limit=1")).RootElement.GetProperty("next").GetString()!;
        Assert.Contains(other, await _world.A.Admin.GetStringAsync(next), StringComparison.Ordinal);
        Assert.Contains("\"note\":\"ends first\"", await _world.A.Admin.GetStringAsync($"/api-keys/{id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_keys_than_fit_are_answered_507_and_revoking_still_works_when_no_revocation_fits()
    {
        var (key, id) = await _world.A.IssueAsync();
        Assert.Equal(200, await _world.B.KeyStatusAsync(key));
        await using var redis = await _world.Redis.ConnectAsync();
        var database = redis.GetDatabase();
        var many = Enumerable.Range(0, Gateway.Tokens.ApiKeys.ApiKeyStore.MaxKeys).ToList();
        await database.HashSetAsync("gateway:{api-keys}", [.. many.Select(i => new HashEntry($"{i}", "{}"))]);
        using (var full = await _world.A.Admin.PostAsJsonAsync("/api-keys", new { owner = "bob" }))
            Assert.Equal(HttpStatusCode.InsufficientStorage, full.StatusCode);
        var ends = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1000;
        await database.SortedSetAddAsync("gateway:{changes}:revocation-ends", [.. many.Select(i => new SortedSetEntry($"{i}", ends))]);

        using var answer = await _world.A.Admin.DeleteAsync($"/api-keys/{id}");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(401, await _world.A.KeyStatusAsync(key));
        await Eventually.TrueAsync(async () => await _world.B.KeyStatusAsync(key) == 401, "the other node refuses the key", Second);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"owner":""}""")]
    [InlineData("""{"owner":"a\u0000b"}""")]
    [InlineData("""{"owner":"alice","scheme":"nowhere"}""")]
    [InlineData("""{"owner":"alice","scopes":["a b"]}""")]
    [InlineData("""{"owner":"alice","scopes":[null]}""")]
    [InlineData("""{"owner":"alice","plan":""}""")]
    [InlineData("""{"owner":"alice","expires":"2001-01-01T00:00:00Z"}""")]
    [InlineData("""{"owner":"alice","expires":"9999-12-31T23:59:59Z"}""")]
    [InlineData("""{"owner":"alice","expires":"tomorrow"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("nonsense")]
    public async Task A_key_with_errors_is_answered_400(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _world.A.Admin.PostAsync("/api-keys", content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Empty(_world.A.Log.Exceptions);
    }

    [Fact]
    public async Task What_is_no_key_cannot_be_read_rotated_or_revoked()
    {
        foreach (var id in new[] { "0123456789ab", "x", "..%2F" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await _world.A.Admin.GetAsync($"/api-keys/{id}")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await _world.A.Admin.DeleteAsync($"/api-keys/{id}")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await _world.A.Admin.PostAsJsonAsync($"/api-keys/{id}/rotate", new { })).StatusCode);
        }

        var (_, known) = await _world.A.IssueAsync();
        Assert.Equal(HttpStatusCode.BadRequest, (await _world.A.Admin.PostAsJsonAsync($"/api-keys/{known}/rotate", new { overlapSeconds = -1 })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _world.A.RevokeAsync(new { scheme = "partners", subject = "alice" })).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await _world.A.Admin.GetAsync("/api-keys?limit=0&skip=-1")).StatusCode);
        Assert.Empty(_world.A.Log.Exceptions);
    }
}
