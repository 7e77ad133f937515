using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>What becomes of connections that were opened with an API key which ends later.</summary>
public sealed class ApiKeyOpenConnectionTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly ApiKeyWorld _world = new();

    public async Task InitializeAsync()
    {
        await _world.InitializeAsync();
        _world.Origin.Map("/events", context => OpenStream.SendAsync(context));
    }

    public Task DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("revoked")]
    [InlineData("rotated")]
    public async Task What_an_ended_key_opened_is_closed_on_every_node_and_nothing_else_is(string how)
    {
        var (key, id) = await _world.A.IssueAsync();
        var (other, otherId) = await _world.A.IssueAsync();
        using var stream = await OpenAsync(_world.B, key);
        using var others = await OpenAsync(_world.B, other);

        // An overlap leaves the old key its time.
        await _world.A.RotateAsync(otherId, overlapSeconds: 600);
        if (how == "revoked")
            (await _world.A.Admin.DeleteAsync($"/api-keys/{id}")).Dispose();
        else
            await _world.A.RotateAsync(id, overlapSeconds: 0);

        await stream.AssertCutAsync(Soon);
        var reading = others.ReadOnAsync();
        Assert.Equal(200, await _world.B.KeyStatusAsync(other));
        Assert.False(reading.IsCompleted);
        Assert.Empty(_world.B.Log.Exceptions);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_outlives_its_key_unless_the_scheme_says_otherwise(bool closes)
    {
        await using var node = await _world.StartNodeAsync(scheme =>
        {
            scheme["CloseAtExpiry"] = closes;
            scheme["ClockSkew"] = "00:00:00";
        });
        var (key, _) = await node.IssueAsync(new { owner = "alice", expires = TimeProvider.System.GetUtcNow().AddSeconds(4) });
        using var stream = await OpenAsync(node, key);
        var reading = stream.ReadOnAsync();
        await Eventually.TrueAsync(async () => await node.KeyStatusAsync(key) == 401, "the key expires");

        if (closes)
            await Assert.ThrowsAnyAsync<IOException>(() => reading.WaitAsync(Soon));
        else
            Assert.False(reading.IsCompleted);
    }

    [Fact]
    public async Task A_rotation_with_an_overlap_closes_what_the_old_key_opened_when_the_overlap_is_over()
    {
        await using var node = await _world.StartNodeAsync(scheme => scheme["CloseAtExpiry"] = true);
        var (key, id) = await node.IssueAsync();
        using var stream = await OpenAsync(node, key);
        var reading = stream.ReadOnAsync();

        await node.RotateAsync(id, overlapSeconds: 2);

        await Eventually.TrueAsync(async () => await node.KeyStatusAsync(key) == 401, "the overlap is over");
        await Assert.ThrowsAnyAsync<IOException>(() => reading.WaitAsync(Soon));
    }

    private static Task<HttpResponseMessage> OpenAsync(GatewayNode node, string key) => node.OpenAsync("/events", "X-Api-Key", key);
}
