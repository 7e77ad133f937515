using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.IntegrationTests.Tokens;

public sealed class RevocationTests : IAsyncLifetime
{
    private readonly TokenFixture _nodes = new();

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public Task InitializeAsync() => _nodes.InitializeAsync();

    public Task DisposeAsync() => _nodes.DisposeAsync();

    [Theory]
    [InlineData("token")]
    [InlineData("jti")]
    [InlineData("subject")]
    [InlineData("issuedBefore")]
    public async Task A_revocation_on_one_node_holds_on_the_other_within_a_second_and_against_fresh_validations(string by)
    {
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 10;
        var token = _nodes.Issuer.Issue(change: [("jti", "one"), ("iat", issued)]);
        var unseen = _nodes.Issuer.Issue(change: [("jti", "one"), ("iat", issued), ("other", true)]);
        var ofBob = _nodes.Issuer.Issue("bob");
        foreach (var known in new[] { token, ofBob })
            await AssertStatusAsync(200, known, _nodes.A, _nodes.B);

        using var answer = await _nodes.A.RevokeAsync(by switch
        {
            "token" => new { token },
            "jti" => new { jti = "one" },
            "subject" => new { scheme = "shop", subject = "alice" },
            _ => (object)new { issuedBefore = DateTimeOffset.FromUnixTimeSeconds(issued + 5) },
        });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        Assert.Equal(401, await _nodes.A.StatusAsync(token));
        await Eventually.TrueAsync(async () => await _nodes.B.StatusAsync(token) == 401, "the other node refuses the token", Second);
        await ForgetResultsAsync();
        await using var fresh = await TokenNode.StartAsync(_nodes.Origin, _nodes.Issuer, _nodes.Redis);
        Assert.Equal(401, await fresh.StatusAsync(token));
        Assert.Equal(by == "token" ? 200 : 401, await _nodes.B.StatusAsync(unseen));
        await AssertStatusAsync(200, ofBob, _nodes.B, fresh);
    }

    [Fact]
    public async Task A_waited_revocation_names_the_nodes_where_it_holds()
    {
        var token = _nodes.Issuer.Issue();
        Assert.Equal(200, await _nodes.B.StatusAsync(token));

        using var answer = await _nodes.A.RevokeAsync(new { token }, wait: true);

        Assert.Equal(401, await _nodes.B.StatusAsync(token));
        Assert.Equal(2, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("applied").GetArrayLength());
        using var refused = await _nodes.B.GetAsync("/page", token);
        Assert.Contains("error=\"invalid_token\", error_description=\"The token was revoked\"", refused.Challenge(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_other_form_of_an_ECDSA_signature_does_not_escape()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(false).Q;
        _nodes.Origin.Map("/ec", $$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{Base64UrlEncoder.Encode(point.X)}}","y":"{{Base64UrlEncoder.Encode(point.Y)}}"}]}""");
        await using var node = await TokenNode.StartAsync(_nodes.Origin, _nodes.Issuer, _nodes.Redis, scheme => scheme["JwksUri"] = _nodes.Origin.Address + "ec");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var token = TestIssuer.Forge(
            new { alg = "ES256", typ = "at+jwt" }, new { iss = TestIssuer.Issuer, aud = TestIssuer.Audience, iat = now, exp = now + 600 }, signed => key.SignData(signed, HashAlgorithmName.SHA256));
        var twin = WithOtherForm(token);
        Assert.Equal(200, await node.StatusAsync(twin));

        using var answer = await node.RevokeAsync(new { token });

        Assert.Equal(401, await node.StatusAsync(token));
        Assert.Equal(401, await node.StatusAsync(twin));
    }

    [Fact]
    public async Task A_subject_may_come_back_with_a_new_token()
    {
        var now = TimeProvider.System.GetUtcNow();
        var old = _nodes.Issuer.Issue(change: ("iat", now.ToUnixTimeSeconds() - 60));
        using var answer = await _nodes.A.RevokeAsync(new { subject = "alice", issuedBefore = now.AddSeconds(-30) });

        Assert.Equal(401, await _nodes.A.StatusAsync(old));
        Assert.Equal(200, await _nodes.A.StatusAsync(_nodes.Issuer.Issue()));
    }

    [Theory]
    [InlineData("subject")]
    [InlineData("issuedBefore")]
    public async Task A_token_of_an_issuer_whose_clock_is_ahead_does_not_escape(string by)
    {
        const int lead = 20;
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + lead;
        var (used, unused) = (_nodes.Issuer.Issue(change: ("iat", issued)), _nodes.Issuer.Issue(change: ("iat", issued)));
        Assert.Equal(200, await _nodes.B.StatusAsync(used));

        // After the use by which the lead shows.
        using var answer = await _nodes.A.RevokeAsync(
            by == "subject" ? new { subject = "alice" } : new { issuedBefore = TimeProvider.System.GetUtcNow().AddMilliseconds(1) });

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Eventually.TrueAsync(async () => await _nodes.B.StatusAsync(used) == 401, "the other node refuses the token", Second);
        await ForgetResultsAsync();
        await AssertStatusAsync(401, unused, _nodes.A, _nodes.B);
        Assert.Equal(200, await _nodes.B.StatusAsync(_nodes.Issuer.Issue(change: ("iat", issued + 8))));
    }

    [Fact]
    public async Task Where_clocks_agree_a_subject_comes_back_a_second_after_its_revocation()
    {
        Assert.Equal(200, await _nodes.B.StatusAsync(_nodes.Issuer.Issue()));
        using var answer = await _nodes.A.RevokeAsync(new { subject = "alice" }, wait: true);
        var after = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1;

        await AssertStatusAsync(200, _nodes.Issuer.Issue(change: ("iat", after)), _nodes.A, _nodes.B);
    }

    [Fact]
    public async Task An_empty_Redis_gets_the_revocations_back_from_the_nodes()
    {
        var token = _nodes.Issuer.Issue();
        using (var answer = await _nodes.A.RevokeAsync(new { token }, wait: true))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        await _nodes.Redis.RestartAsync();
        await using var redis = await _nodes.Redis.ConnectAsync();
        await Eventually.TrueAsync(async () => await redis.GetDatabase().HashLengthAsync("gateway:{changes}:revocations") == 1, "the revocation is written back");

        await AssertStatusAsync(401, token, _nodes.A, _nodes.B);
        await using var fresh = await TokenNode.StartAsync(_nodes.Origin, _nodes.Issuer, _nodes.Redis);
        Assert.Equal(401, await fresh.StatusAsync(token));
    }

    [Fact]
    public async Task A_revocation_that_Redis_does_not_take_is_answered_503()
    {
        await _nodes.Redis.KillAsync();

        using var answer = await _nodes.A.RevokeAsync(new { subject = "alice" });

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
    }

    // With (r, s), (r, n - s) is a signature of the same content too.
    private static string WithOtherForm(string token)
    {
        var order = BigInteger.Parse("0ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var end = token.LastIndexOf('.') + 1;
        var signature = Base64UrlEncoder.DecodeBytes(token[end..]);
        var other = (order - new BigInteger(signature.AsSpan(32), isUnsigned: true, isBigEndian: true)).ToByteArray(isUnsigned: true, isBigEndian: true);
        signature.AsSpan(32).Clear();
        other.CopyTo(signature.AsSpan(64 - other.Length));
        return token[..end] + Base64UrlEncoder.Encode(signature);
    }

    private static async Task AssertStatusAsync(int expected, string token, params GatewayNode[] nodes)
    {
        foreach (var node in nodes)
            Assert.Equal(expected, await node.StatusAsync(token));
    }

    // As if the results had never been found: what comes next validates afresh.
    private async Task ForgetResultsAsync()
    {
        await using var redis = await _nodes.Redis.ConnectAsync();
        await foreach (var key in redis.GetServers()[0].KeysAsync(pattern: "*token:2:*"))
            await redis.GetDatabase().KeyDeleteAsync(key);
    }
}
