using Gateway.IntegrationTests.Infrastructure;
using Gateway.Tokens;
using Gateway.Tokens.Revocations;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Tokens;

public sealed class RevocationStoreTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Redis_and_the_embedded_server_keep_the_wider_of_two_revocations_until_it_ends(bool isEmbedded)
    {
        await using var redis = isEmbedded ? null : await RedisServer.StartAsync();
        await using var node = await GatewayNode.StartAsync(redis: redis?.ConnectionString);
        var store = node.Services.GetRequiredService<RevocationStore>();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var (alice, bob) = (RevocationId.OfSubject("shop", "alice"), RevocationId.OfSubject("shop", "bob"));

        await AddAsync(store, new(alice, now, now + 1000), new(bob, now, now + 2000));
        await AddAsync(store, new Revocation(alice, Revocation.Always, now + 500));
        await AddAsync(store, new(alice, 1, now + 3000), new(bob, now, now - 1));
        await AddAsync(store, [.. Enumerable.Range(0, RevocationStore.MaxBatch).Select(i => new Revocation(RevocationId.OfJti("shop", $"{i}"), Revocation.Always, now + 1000))]);

        var all = await store.ReadAllAsync(CancellationToken.None);
        Assert.Equal(2 + RevocationStore.MaxBatch, all!.Count);
        Assert.Equal(new Revocation(alice, Revocation.Always, now + 3000), all[alice]);
        Assert.Equal(new Revocation(bob, now, now + 2000), all[bob]);

        await AddAsync(store, new Revocation(RevocationId.OfSubject("shop", "carol"), now, now - 1));
        await AddAsync(store, new Revocation(RevocationId.OfSubject("shop", "dave"), now, now + 1000));
        Assert.Equal(3 + RevocationStore.MaxBatch, (await store.ReadAllAsync(CancellationToken.None))!.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_the_leads_of_an_issuers_clock_the_largest_holds_for_all_nodes(bool isEmbedded)
    {
        await using var redis = isEmbedded ? null : await RedisServer.StartAsync();
        await using var node = await GatewayNode.StartAsync(redis: redis?.ConnectionString);
        var (leads, others) = (node.Services.GetRequiredService<IssuerLeads>(), ActivatorUtilities.CreateInstance<IssuerLeads>(node.Services));
        var scheme = new TokenScheme("Shop", TokenKind.Jwt, new TokenSchemeOptions(), "", null, new TokenCounts("Shop"));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

        await leads.NoteAsync(scheme, now);
        Assert.Equal(0, await others.FindAsync(scheme, CancellationToken.None));
        foreach (var lead in new[] { 200, 300, 100 })
            await leads.NoteAsync(scheme, now + lead);
        await others.NoteAsync(scheme, now + 250);

        Assert.InRange((await others.FindAsync(scheme with { Name = "shop" }, CancellationToken.None))!.Value, 290, 300);
        Assert.Equal(0, await others.FindAsync(scheme with { Name = "bank" }, CancellationToken.None));
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_and_not_dropped()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await GatewayNode.StartAsync(redis: redis.ConnectionString);
        await using var connection = await redis.ConnectAsync();
        var ends = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1000;
        await connection.GetDatabase().SortedSetAddAsync(
            "gateway:{changes}:revocation-ends",
            [.. Enumerable.Range(0, RevocationStore.MaxRevocations).Select(i => new StackExchange.Redis.SortedSetEntry($"{i}", ends))]);

        var (outcome, _) = await node.Services.GetRequiredService<RevocationStore>().AddAsync(
            [new Revocation(RevocationId.OfJti("shop", "one"), Revocation.Always, ends)], CancellationToken.None);

        Assert.Equal(RevocationOutcome.Full, outcome);
    }

    private static async Task AddAsync(RevocationStore store, params Revocation[] revocations) =>
        Assert.Equal(RevocationOutcome.Written, (await store.AddAsync(revocations, CancellationToken.None)).Outcome);
}
