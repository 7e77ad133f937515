using Gateway.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.RateLimiting;

public sealed class BlockedClientsTests
{
    private static readonly RateLimit Limit = new("one", 5, TimeSpan.FromSeconds(10), [], WhenRedisIsDown.Allow);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_client_is_blocked_until_its_window_ends_and_not_longer()
    {
        var blocked = new BlockedClients(_time);
        blocked.Add("client", new LimitState(Limit, 5, TimeSpan.FromSeconds(3)));

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(blocked.TryGet("client", out var state));
        Assert.Equal(TimeSpan.FromSeconds(1), state.Reset);
        Assert.False(blocked.TryGet("other", out _));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(blocked.TryGet("client", out _));
    }

    [Fact]
    public void A_flood_of_clients_does_not_grow_it_beyond_its_bound()
    {
        var blocked = new BlockedClients(_time);
        for (var i = 0; i <= BlockedClients.MaxClients; i++)
            blocked.Add($"client-{i}", new LimitState(Limit, 5, TimeSpan.FromSeconds(3)));

        Assert.True(blocked.TryGet($"client-{BlockedClients.MaxClients}", out _));
        Assert.False(blocked.TryGet("client-0", out _));
    }
}
