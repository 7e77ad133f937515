using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Sessions.Store;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Sessions;

/// <summary>The scripts of the session store, on every kind of server that the gateway runs on.</summary>
public sealed class SessionStoreTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task It_works_on_the_embedded_server()
    {
        await using var node = await StartAsync(redis: null, "--Sessions:Store:MaxPerSubject=2");

        await LiveAndEndAsync(StoreOf(node));
    }

    [Fact]
    public async Task It_works_on_Redis_Cluster()
    {
        await using var cluster = await RedisCluster.StartAsync();
        await using var node = await StartAsync(cluster.ConnectionString, "--Sessions:Store:MaxPerSubject=2");

        await LiveAndEndAsync(StoreOf(node));

        // Subjects are spread over the servers.
        foreach (var subject in Enumerable.Range(0, 30))
            await BeginAsync(StoreOf(node), $"subject {subject}");
        Assert.All(await cluster.KeysPerMasterAsync("gateway:session:*"), count => Assert.True(count > 0));
    }

    [Fact]
    public async Task However_much_it_is_used_a_session_ends_with_its_absolute_timeout()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await StartAsync(redis.ConnectionString, "--Sessions:Store:AbsoluteTimeout=00:00:02");
        var store = StoreOf(node);
        var session = await BeginAsync(store, "alice", TimeSpan.FromSeconds(1.2));
        var reads = 0;

        await Eventually.TrueAsync(
            async () =>
            {
                var read = await ReadAsync(store, session);
                reads += read is null ? 0 : 1;
                Assert.True(read is null || read.Left <= TimeSpan.FromSeconds(1.2));
                return read is null;
            },
            "it ends", TimeSpan.FromSeconds(4));

        Assert.True(reads > 10);
    }

    [Fact]
    public async Task What_is_not_in_its_subjects_set_has_ended_whatever_becomes_of_its_record()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await StartAsync(redis.ConnectionString);
        var store = StoreOf(node);
        var session = await BeginAsync(store, "alice");
        await using var connection = await redis.ConnectAsync();
        var database = connection.GetDatabase();

        // As after an end whose second step, which frees the memory, was lost.
        Assert.True(await database.KeyDeleteAsync($"gateway:sessions:{{{session.Subject}}}"));
        Assert.True(await database.KeyExistsAsync($"gateway:session:{{{session.Subject}}}:{session.Hash}"));

        Assert.Null(await ReadAsync(store, session));
        Assert.False(await store.UpdateAsync(session, "changed"u8.ToArray(), CancellationToken.None));
    }

    [Fact]
    public async Task What_is_too_large_is_refused()
    {
        await using var node = await GatewayNode.StartAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await StoreOf(node).CreateAsync(
            SessionKey.Of(SessionId.New("alice")), new byte[SessionStore.MaxSize + 1], Window, slides: true, CancellationToken.None));
    }

    private static async Task LiveAndEndAsync(SessionStore store)
    {
        var (first, second) = (await BeginAsync(store, "alice"), await BeginAsync(store, "alice"));
        Assert.Equal("of alice", Encoding.UTF8.GetString((await ReadAsync(store, first))!.Content));
        Assert.True(await store.UpdateAsync(first, "changed"u8.ToArray(), CancellationToken.None));
        Assert.Equal("changed", Encoding.UTF8.GetString((await ReadAsync(store, first))!.Content));
        var both = (await store.ListAsync(first.Subject, CancellationToken.None)).Select(session => session.Id).ToHashSet();
        Assert.True(both.SetEquals([first.Hash, second.Hash]));

        var third = await BeginAsync(store, "alice");
        var left = await store.ListAsync(first.Subject, CancellationToken.None);
        Assert.Equal(2, left.Count);
        Assert.Contains(left, session => session.Id == third.Hash);
        Assert.Equal((1, true), await store.EndAsync(third.Subject, third.Hash, CancellationToken.None));
        Assert.Null(await ReadAsync(store, third));
        Assert.False(await store.UpdateAsync(third, "changed"u8.ToArray(), CancellationToken.None));
        Assert.Equal((1, true), await store.EndAsync(first.Subject, null, CancellationToken.None));
        Assert.Empty(await store.ListAsync(first.Subject, CancellationToken.None));

        var nobodys = SessionKey.OfNobody("a key");
        await store.CreateAsync(nobodys, "cart"u8.ToArray(), Window, slides: true, CancellationToken.None);
        Assert.Equal("cart", Encoding.UTF8.GetString((await ReadAsync(store, nobodys))!.Content));
        Assert.True(await store.UpdateAsync(nobodys, "full"u8.ToArray(), CancellationToken.None));
    }

    private static async Task<SessionKey> BeginAsync(SessionStore store, string subject, TimeSpan? window = null)
    {
        var session = SessionKey.Of(SessionId.New(subject));
        await store.CreateAsync(session, Encoding.UTF8.GetBytes($"of {subject}"), window ?? Window, slides: true, CancellationToken.None);
        return session;
    }

    private static async Task<StoredContent?> ReadAsync(SessionStore store, SessionKey session)
    {
        var reply = await store.ReadAsync(session, CancellationToken.None);
        Assert.True(reply.TryGet(out var content));
        return content;
    }

    // A busy machine answers late: what the deadline does is tested elsewhere.
    private static Task<GatewayNode> StartAsync(string? redis, params string[] settings) =>
        GatewayNode.StartAsync(redis: redis, args: ["--Redis:Deadline=00:00:02", .. settings]);

    private static SessionStore StoreOf(GatewayNode node) => node.Services.GetRequiredService<SessionStore>();
}
