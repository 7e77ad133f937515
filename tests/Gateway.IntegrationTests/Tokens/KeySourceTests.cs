using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class KeySourceTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private TestOrigin _origin = null!;
    private TestIssuer _issuer = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _origin = await TestOrigin.StartAsync();
        _origin.Map("/page", "page", ("Cache-Control", "no-store"));
        _issuer = await TestIssuer.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _issuer.DisposeAsync();
        await _origin.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Keys_are_found_by_the_description_of_the_issuer()
    {
        _origin.Map("/realm/.well-known/openid-configuration", $$"""{"issuer":"{{TestIssuer.Issuer}}","jwks_uri":"{{_issuer.JwksUri}}"}""");
        await using var node = await StartAsync(("Authority", _origin.Address + "realm/"));

        Assert.Equal(200, await node.StatusAsync(_issuer.Issue()));
        Assert.Equal(401, await node.StatusAsync(_issuer.Issue(change: ("iss", "https://evil.example"))));
    }

    [Fact]
    public async Task The_description_of_another_issuer_gives_no_keys_and_refuses_nobody()
    {
        _origin.Map("/.well-known/openid-configuration", $$"""{"issuer":"https://evil.example","jwks_uri":"{{_issuer.JwksUri}}"}""");
        await using var node = await StartAsync(("Authority", _origin.Address));

        Assert.Equal(503, await node.StatusAsync(_issuer.Issue()));
        Assert.Equal(0, _issuer.Reads);
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task A_key_file_is_read_again_when_it_changes_and_kept_when_it_breaks()
    {
        var directory = Directory.CreateTempSubdirectory("gateway-keys-");
        try
        {
            var file = Path.Combine(directory.FullName, "jwks.json");
            await File.WriteAllTextAsync(file, _issuer.Keys);
            await using var node = await StartAsync(("JwksFile", file));
            var old = _issuer.Issue();
            Assert.Equal(200, await node.StatusAsync(old));

            _issuer.Rotate();
            await File.WriteAllTextAsync(file, _issuer.Keys);
            await Eventually.TrueAsync(async () => await node.StatusAsync(old) == 401, "the key that is gone refuses its tokens");
            Assert.Equal(200, await node.StatusAsync(_issuer.Issue()));

            await File.WriteAllTextAsync(file, "{");
            await Eventually.TrueAsync(() => node.Log.Events.Any(logged => logged.Id.Id == 6001), "the broken file is noticed");
            Assert.Equal(200, await node.StatusAsync(_issuer.Issue()));
            Assert.Empty(node.Log.Exceptions);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private Task<GatewayNode> StartAsync((string Name, string Value) source) => TokenNode.StartAsync(_origin, _issuer, _redis, scheme =>
    {
        scheme.Remove("JwksUri");
        scheme[source.Name] = source.Value;
    });
}
