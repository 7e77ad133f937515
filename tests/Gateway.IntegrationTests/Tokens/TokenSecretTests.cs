using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class TokenSecretTests
{
    [Fact]
    public async Task No_token_is_in_Redis_or_in_any_log()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = await TestOrigin.StartAsync();
        origin.Map("/page", "page", ("Cache-Control", "public, max-age=60"));
        await using var issuer = await TestIssuer.StartAsync();
        using var log = new EveryMessage();
        await using var node = await TokenNode.StartAsync(origin, issuer, redis, configure: builder => log.Capture(builder.Logging));

        string[] tokens = [issuer.Issue(), issuer.Issue("bob"), issuer.Issue(change: ("aud", "bank")), issuer.Issue(type: "JWT")];
        foreach (var token in tokens)
            await node.StatusAsync(token);
        (await node.RevokeAsync(new { token = tokens[1] }, wait: true)).Dispose();
        Assert.Equal(401, await node.StatusAsync(tokens[1]));
        (await node.RevokeAsync(new { token = tokens[0], jti = "both" })).Dispose();

        var kept = await redis.ReadEverythingAsync();
        Assert.NotEmpty(kept);
        Assert.NotEmpty(log.Messages);
        foreach (var part in tokens.SelectMany(token => token.Split('.').Skip(1)))
        {
            Assert.DoesNotContain(kept, text => text.Contains(part, StringComparison.Ordinal));
            Assert.DoesNotContain(log.Messages, text => text.Contains(part, StringComparison.Ordinal));
        }
    }
}
