using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Redis;

/// <summary>Redis by TLS, with a certificate that the operator's machines trust and a password.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Password = "open-sesame";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("gateway-tls-");

    private string CertificatePath => Path.Combine(_directory.FullName, "redis.pem");

    private string KeyPath => Path.Combine(_directory.FullName, "redis.key");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Nodes_share_responses_limits_and_purges_over_tls()
    {
        CreateCertificate();
        var port = FreePort.Next();
        await using var redis = await RedisServer.StartAsync(
            "--tls-port", $"{port}", "--tls-cert-file", CertificatePath, "--tls-key-file", KeyPath, "--tls-auth-clients", "no",
            "--user", "gateway", "on", $">{Password}", "~*", "&*", "+@all");
        await using var origin = await TestOrigin.StartAsync();
        origin.Map("/x", "body", ("Cache-Control", "max-age=60"));
        var config = new
        {
            ReverseProxy = origin.ProxySection(("OutputCachePolicy", "origin"), ("RateLimiterPolicy", "few")),
            RateLimiter = new { Policies = new { few = new { Limits = new[] { new { Name = "hour", PermitLimit = 3, Window = "01:00:00", By = new[] { "ClientIp" } } } } } },
        };
        var connection = $"localhost:{port},ssl=true,user=gateway,password={Password}";
        var trust = new Dictionary<string, string> { ["SSL_CERT_FILE"] = CertificatePath };
        await using var first = await ProcessNode.StartAsync(config, connection, trust);
        await using var second = await ProcessNode.StartAsync(config, connection, trust);

        Assert.Equal((HttpStatusCode.OK, 1), await GetAsync(first));
        await Eventually.TrueAsync(async () => await HasResponseAsync(redis), "the response is in Redis");
        Assert.Equal((HttpStatusCode.OK, 1), await GetAsync(second));

        using var purge = await first.Admin.PostAsJsonAsync("/cache/purge?wait=true", new { all = true });
        Assert.Equal(HttpStatusCode.OK, purge.StatusCode);
        Assert.Equal((HttpStatusCode.OK, 2), await GetAsync(second));
        Assert.Equal((HttpStatusCode.TooManyRequests, 2), await GetAsync(first));
        Assert.DoesNotContain(Password, first.Output + second.Output, StringComparison.Ordinal);

        async Task<(HttpStatusCode Status, int AtOrigin)> GetAsync(ProcessNode node)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/x") { Headers = { Host = "shop.example" } };
            using var answer = await node.Public.SendAsync(request);
            return (answer.StatusCode, origin.Count("/x"));
        }
    }

    private static async Task<bool> HasResponseAsync(RedisServer redis)
    {
        await using var connection = await redis.ConnectAsync();
        return await connection.GetServers()[0].KeysAsync(pattern: "gateway:response:*").AnyAsync();
    }

    private void CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
    }
}
