using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.RateLimiting;
using Gateway.RateLimiting.Ranking;
using Gateway.Redis;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.RateLimiting;

public sealed class RankingTests : LimitedNodes
{
    private static readonly object One = new { Name = "one", PermitLimit = 1, Window = "01:00:00" };

    [Fact]
    public async Task A_flood_of_clients_does_not_end_the_ranking()
    {
        var node = await StartAsync(One);
        var clients = node.Services.GetRequiredService<LimitedClients>();
        var policy = node.Services.GetRequiredService<RateLimitPolicies>().Find("api")!;
        for (var i = 0; i < LimitedClients.MaxClients; i++)
            Reject($"client-{i}");
        await clients.SendAsync(CancellationToken.None);

        for (var i = 0; i < 3; i++)
            Reject("late");
        await clients.SendAsync(CancellationToken.None);

        var ranked = await clients.ReadAsync(isLastHour: false, limit: 1, CancellationToken.None);
        Assert.Equal(("late", 3), (ranked![0].Client.Identity, ranked[0].Rejections));

        void Reject(string client) => clients.Add(policy, new LimitCharge(policy.Limits[0], client, client, 1, 1));
    }

    [Fact]
    public async Task The_last_hour_is_told_too()
    {
        var node = await StartAsync(One);
        var hour = node.Services.GetRequiredService<RedisClock>().Now.UtcDateTime.AddHours(-1).ToString("yyyyMMddHH", CultureInfo.InvariantCulture);
        await using var connection = await Redis.ConnectAsync();
        await connection.GetDatabase().SortedSetAddAsync(node.Services.GetRequiredService<RedisKeys>().LimitedClients(hour), "api:one:somebody", 7);

        var last = await node.Admin.GetFromJsonAsync<JsonElement>("/rate-limits/most-limited?hour=last");

        Assert.Equal("somebody", last.GetProperty("clients")[0].GetProperty("client").GetString());
    }
}
