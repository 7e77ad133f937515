using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class KeySourceTests : TokenWorld
{
    [Fact]
    public async Task Keys_are_found_by_the_description_of_the_issuer()
    {
        Origin.Map("/realm/.well-known/openid-configuration", $$"""{"issuer":"{{TestIssuer.Issuer}}","jwks_uri":"{{Issuer.JwksUri}}"}""");
        await using var node = await StartAsync(("Authority", Origin.Address + "realm/"));

        Assert.Equal(200, await node.StatusAsync(Issuer.Issue()));
        Assert.Equal(401, await node.StatusAsync(Issuer.Issue(change: ("iss", "https://evil.example"))));
    }

    [Fact]
    public async Task The_description_of_another_issuer_gives_no_keys_and_refuses_nobody()
    {
        Origin.Map("/.well-known/openid-configuration", $$"""{"issuer":"https://evil.example","jwks_uri":"{{Issuer.JwksUri}}"}""");
        await using var node = await StartAsync(("Authority", Origin.Address));

        Assert.Equal(503, await node.StatusAsync(Issuer.Issue()));
        Assert.Equal(0, Issuer.Reads);
        Assert.Empty(node.Log.Exceptions);
    }

    [Fact]
    public async Task A_key_file_is_read_again_when_it_changes_and_kept_when_it_breaks()
    {
        var directory = Directory.CreateTempSubdirectory("gateway-keys-");
        try
        {
            var file = Path.Combine(directory.FullName, "jwks.json");
            await File.WriteAllTextAsync(file, Issuer.Keys);
            await using var node = await StartAsync(("JwksFile", file));
            var old = Issuer.Issue();
            Assert.Equal(200, await node.StatusAsync(old));

            Issuer.Rotate();
            await File.WriteAllTextAsync(file, Issuer.Keys);
            await Eventually.TrueAsync(async () => await node.StatusAsync(old) == 401, "the key that is gone refuses its tokens");
            Assert.Equal(200, await node.StatusAsync(Issuer.Issue()));

            await File.WriteAllTextAsync(file, "{");
            await Eventually.TrueAsync(() => node.Log.Events.Any(logged => logged.Id.Id == 6001), "the broken file is noticed");
            Assert.Equal(200, await node.StatusAsync(Issuer.Issue()));
            Assert.Empty(node.Log.Exceptions);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private Task<GatewayNode> StartAsync((string Name, string Value) source) => TokenNode.StartAsync(Origin, Issuer, Redis, scheme =>
    {
        scheme.Remove("JwksUri");
        scheme[source.Name] = source.Value;
    });
}
