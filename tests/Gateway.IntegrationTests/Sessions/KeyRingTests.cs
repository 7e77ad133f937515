using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Hosting.Configuration;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Sessions;

public sealed class KeyRingTests
{
    private const string Keys = "gateway:keys";

    [Fact]
    public async Task Nodes_share_one_key_and_a_restart_adds_none()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 1, nodes: 3);

        Assert.Equal(1, await (await world.DatabaseAsync()).HashLengthAsync(Keys));
    }

    [Fact]
    public async Task Nodes_that_start_at_once_on_an_empty_redis_read_each_others_cookies()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2, nodes: 0);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => world.AddNodeAsync(world.Config())));

        foreach (var from in world.Nodes)
        {
            foreach (var to in world.Nodes)
                await ReadsCookiesAsync(from, to);
        }
    }

    [Fact]
    public async Task Nodes_that_start_without_redis_serve_at_once_and_agree_when_it_comes()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2, nodes: 0);
        await world.Redis.KillAsync();
        var a = await world.AddNodeAsync(world.Config());
        var b = await world.AddNodeAsync(world.Config());
        var shopper = new Shopper();
        var backend = await shopper.VisitAsync(a);
        Assert.Equal(backend, await shopper.VisitAsync(a));

        await world.Redis.RestartAsync();

        // Before any cookie asks for it: the framework looks for unknown keys by itself only in a process' first minutes.
        await Eventually.TrueAsync(() => HasRingOfTwo(a) && HasRingOfTwo(b), "each node works with the keys of both");
        await ReadsCookiesAsync(a, b);
        await ReadsCookiesAsync(b, a);
        Assert.Equal(backend, await shopper.VisitAsync(b));
        Assert.Empty(shopper.LastSet);
        Assert.Equal(2, await (await world.DatabaseAsync()).HashLengthAsync(Keys));
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task After_a_flush_nodes_write_the_keys_back()
    {
        await using var world = await SessionsWorld.StartAsync(backends: 2);
        var shopper = new Shopper();
        var backend = await shopper.VisitAsync(world.A);

        await world.Redis.RestartAsync();
        await Eventually.TrueAsync(async () => await (await world.DatabaseAsync()).HashLengthAsync(Keys) == 1, "the key is back");
        var third = await world.AddNodeAsync(world.Config());

        Assert.Equal(backend, await shopper.VisitAsync(third));
        Assert.Empty(shopper.LastSet);
    }

    [Theory]
    [InlineData("Cookie")]
    [InlineData("ArrCookie")]
    [InlineData("HashCookie")]
    public async Task Yarps_own_policies_work_over_several_nodes_too(string policy)
    {
        await using var world = await SessionsWorld.StartAsync(affinity: [("Policy", policy)]);
        for (var i = 0; i < 3; i++)
        {
            var shopper = new Shopper();
            var backend = await shopper.VisitAsync(world.A);
            Assert.Equal(backend, await shopper.VisitAsync(world.B));
            Assert.Empty(shopper.LastSet);
        }
    }

    [Theory]
    [InlineData("key-broken", "<key")]
    [InlineData("key-other", """<key id="b4a7b0a5-6e0c-4a3c-9f0e-0f3c1a6f7d11" version="1" />""")]
    public async Task A_key_that_cannot_be_read_is_left_out(string name, string xml)
    {
        await using var world = await SessionsWorld.StartAsync(backends: 1, nodes: 0);
        await (await world.DatabaseAsync()).HashSetAsync(Keys, name, xml);

        var node = await world.AddNodeAsync(world.Config());

        await new Shopper().VisitAsync(node);
        Assert.Contains(node.Log.Events, logged => logged.Id.Id == 7001);
        world.AssertNoExceptions();
    }

    [Fact]
    public async Task With_a_certificate_keys_are_encrypted_in_redis()
    {
        var path = CreateCertificate("secret");
        try
        {
            var sessions = new { KeyCertificatePath = path, KeyCertificatePassword = "secret" };
            await using var world = await SessionsWorld.StartAsync(backends: 2, sessions: sessions);

            var key = (await (await world.DatabaseAsync()).HashGetAllAsync(Keys)).Single().Value.ToString();
            Assert.Contains("encryptedSecret", key, StringComparison.Ordinal);
            Assert.DoesNotContain("masterKey", key, StringComparison.Ordinal);
            await ReadsCookiesAsync(world.A, world.B);
            world.AssertNoExceptions();
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Wrong_options_stop_the_start_and_are_listed_together()
    {
        var wrong = await Assert.ThrowsAsync<InvalidConfigurationException>(() => GatewayNode.StartAsync(new
        {
            Sessions = new
            {
                AffinityExpiry = "00:00:10",
                KeyFrom = new Dictionary<string, string> { ["shop"] = "Body:x", ["cart"] = "Header:" },
                KeyCertificatePath = "/no/such/file.pfx",
            },
        }));

        foreach (var path in new[] { "Sessions:AffinityExpiry", "Sessions:KeyFrom:shop", "Sessions:KeyFrom:cart", "Sessions:KeyCertificatePath" })
            Assert.Contains(wrong.Errors, error => error.Contains(path + ":", StringComparison.Ordinal));
        Assert.Equal(4, wrong.Errors.Count);
    }

    private static Task ReadsCookiesAsync(GatewayNode from, GatewayNode to) => Eventually.TrueAsync(
        async () =>
        {
            var shopper = new Shopper();
            var backend = await shopper.VisitAsync(from);
            return await shopper.VisitAsync(to) == backend && shopper.LastSet.Count == 0;
        },
        "the node reads the other one's cookies",
        TimeSpan.FromSeconds(5));

    private static bool HasRingOfTwo(GatewayNode node)
    {
        var ring = node.Services.GetRequiredService<IKeyRingProvider>().GetCurrentKeyRing();
        var keys = node.Services.GetRequiredService<IKeyManager>().GetAllKeys();
        return keys.Count == 2 && keys.All(key => ring.GetAuthenticatedEncryptorByKeyId(key.KeyId, out _) is not null);
    }

    private static string CreateCertificate(string password)
    {
        using var key = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=gateway-keys", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(now, now.AddDays(1));
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pkcs12, password));
        return path;
    }
}
