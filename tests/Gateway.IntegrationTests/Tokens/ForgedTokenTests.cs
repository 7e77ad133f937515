using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Tokens;

public sealed class ForgedTokenTests(TokenFixture fixture) : IClassFixture<TokenFixture>
{
    private static readonly string[] Critical = ["exp"];
    private static readonly RSA Other = RSA.Create(2048);

    private readonly TestIssuer _issuer = fixture.Issuer;

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("HS256 with the public key")]
    [InlineData("HS256 with the modulus")]
    [InlineData("another key under the same kid")]
    [InlineData("another key at jku and x5u")]
    [InlineData("another key in jwk")]
    [InlineData("unknown kid")]
    [InlineData("crit")]
    [InlineData("cut signature")]
    [InlineData("no signature")]
    [InlineData("changed payload")]
    [InlineData("issuer")]
    [InlineData("audience")]
    [InlineData("audience with a slash")]
    [InlineData("no audience")]
    [InlineData("type JWT")]
    [InlineData("no type")]
    [InlineData("expired")]
    [InlineData("not yet valid")]
    [InlineData("issued in the future")]
    [InlineData("no exp")]
    [InlineData("no iat")]
    [InlineData("exp as text")]
    [InlineData("exp out of range")]
    [InlineData("too long lived")]
    [InlineData("RS512, which the key does not allow")]
    [InlineData("huge")]
    [InlineData("garbage")]
    [InlineData("two dots")]
    [InlineData("payload that is no object")]
    [InlineData("encrypted")]
    [InlineData("empty")]
    [InlineData("spaces")]
    [InlineData("another alphabet")]
    public async Task A_token_that_is_not_the_issuers_gets_401_and_nothing_fails_inside(string forgery)
    {
        using var first = await fixture.A.GetAsync("/page", Forge(forgery));
        using var second = await fixture.A.GetAsync("/page", Forge(forgery));

        foreach (var response in new[] { first, second })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.StartsWith("Bearer realm=\"shop\", error=\"invalid_token\", error_description=\"", response.Challenge(), StringComparison.Ordinal);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
            Assert.True(response.Headers.CacheControl?.NoStore);
        }

        Assert.Empty(fixture.A.Log.Exceptions);
    }

    [Theory]
    [InlineData("""{"alg":5,"typ":"at+jwt"}""", "{}")]
    [InlineData("""{"alg":"RS256","typ":["at+jwt"]}""", "{}")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt","kid":{"a":1}}""", "{}")]
    [InlineData("""{"alg":"RS256","alg":"none","typ":"at+jwt"}""", "{}")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt","b64":false}""", "{}")]
    [InlineData("[]", "{}")]
    [InlineData("null", "null")]
    [InlineData("{", "}")]
    [InlineData("", "")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt"}""", "")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt"}""", """{"iss":5,"aud":{"a":"shop"},"iat":"x"}""")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt"}""", """{"iss":"https://issuer.example","aud":"shop","iat":{},"exp":[]}""")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt"}""", """{"iss":"https://issuer.example","aud":["shop",7,null],"iat":-1e400,"exp":99999999999999999999}""")]
    [InlineData("""{"alg":"RS256","typ":"at+jwt"}""", """{"iss":"https://issuer.example","aud":"shop","iat":1.5,"exp":2.5,"nbf":"never"}""")]
    public async Task Not_even_a_signature_by_the_right_key_makes_strange_parts_fail_inside(string header, string payload)
    {
        Assert.Equal(401, await fixture.A.StatusAsync(SignedAs(header, payload)));
        Assert.Empty(fixture.A.Log.Exceptions);
    }

    // What would pass but for the part in question.
    [Theory]
    [InlineData("\"kid\":\"\\ud800\"", "")]
    [InlineData("\"kid\":\"\u00ff\"", "")]
    [InlineData("\"kid\":\"../../etc/passwd\\u0000' OR 1=1\"", "")]
    [InlineData("\"crit\":null", "")]
    [InlineData("\"crit\":[]", "")]
    [InlineData("\"typ\":\"at+jwt\\u0000\"", "")]
    [InlineData("\"x\":1}{", "")]
    [InlineData("", "\"sub\":\"alice\",\"sub\":\"root\"")]
    [InlineData("", "\"exp\":1")]
    [InlineData("", "\"sub\":\"\\ud800\"")]
    [InlineData("", "\"sub\":\"\u00ff\"")]
    [InlineData("", "\"\\ud800\":1")]
    [InlineData("", "\"x\":1}{")]
    [InlineData("", "\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")]
    [InlineData("", "\"nbf\":\"never\"")]
    [InlineData("", "\"nbf\":1e300")]
    [InlineData("", "\"nbf\":-1")]
    public async Task A_good_token_with_one_part_that_no_issuer_writes_is_refused(string inHeader, string inPayload)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var good = $"\"iss\":\"{TestIssuer.Issuer}\",\"aud\":\"shop\",\"iat\":{now},\"exp\":{now + 600}";

        Assert.Equal(200, await fixture.A.StatusAsync(Signed("", "")));
        Assert.Equal(401, await fixture.A.StatusAsync(Signed(inHeader, inPayload)));
        Assert.Empty(fixture.A.Log.Exceptions);

        string Signed(string header, string payload) => SignedAs(
            $"{{\"alg\":\"RS256\",\"typ\":\"at+jwt\"{(header.Length > 0 ? "," : "")}{header}}}", $"{{{good}{(payload.Length > 0 ? "," : "")}{payload}}}");
    }

    [Fact]
    public async Task Without_a_token_no_error_is_named()
    {
        using var none = await fixture.A.GetAsync("/page", token: null);
        using var basic = await fixture.A.GetAsync("/page", token: null, ("Authorization", "Basic YTpi"));

        foreach (var response in new[] { none, basic })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Bearer realm=\"shop\"", response.Challenge());
        }
    }

    [Theory]
    [InlineData("Authorization: bearer TOKEN", 200)]
    [InlineData("authorization: BEARER   TOKEN  ", 200)]
    [InlineData("Authorization: Bearer TOKEN\r\nAuthorization: Bearer TOKEN", 401)]
    [InlineData("Authorization: Bearer TOKEN\r\nAuthorization: Basic YTpi", 401)]
    [InlineData("Authorization: Bearer TOKEN\r\nAuthorization:", 401)]
    [InlineData("Authorization:\r\nAuthorization: Bearer TOKEN", 401)]
    [InlineData("Authorization: Bearer TOKEN, Bearer TOKEN", 401)]
    [InlineData("Authorization: Bearer\tTOKEN", 401)]
    [InlineData("Authorization: Bearer TOKEN\u00a0", 401)]
    [InlineData("Authorization: Bearer TO\u0001KEN", 401)]
    [InlineData("Authorization: Bearer TOKEN TOKEN", 401)]
    [InlineData("Authorization: BearerTOKEN", 401)]
    [InlineData("Authorization: Bearer", 401)]
    [InlineData("Authorization:", 401)]
    [InlineData("X-Authorization: Bearer TOKEN", 401)]
    public async Task A_token_counts_only_where_and_as_it_is_to_be_sent(string fields, int expected)
    {
        var answer = await fixture.A.RawAsync($"GET /page HTTP/1.1\r\nHost: a\r\n{fields.Replace("TOKEN", _issuer.Issue(), StringComparison.Ordinal)}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {expected} ", answer, StringComparison.Ordinal);
        Assert.Equal(expected == 401, answer.Contains("\r\nWWW-Authenticate: Bearer realm=\"shop\"", StringComparison.Ordinal));
        Assert.Empty(fixture.A.Log.Exceptions);
    }

    [Fact]
    public async Task A_token_in_the_query_or_the_body_is_none()
    {
        var token = _issuer.Issue();
        using var inQuery = await fixture.A.GetAsync($"/page?access_token={token}&token={token}", token: null);
        using var form = new FormUrlEncodedContent([new("access_token", token)]);
        using var inBody = await fixture.A.Public.PostAsync("/page", form);

        foreach (var response in new[] { inQuery, inBody })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("Bearer realm=\"shop\"", response.Challenge());
        }
    }

    [Fact]
    public async Task A_token_of_a_megabyte_is_not_read()
    {
        var answer = await fixture.A.RawAsync($"GET /page HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {new string('a', 1 << 20)}\r\n\r\n");

        // The server may reset the connection while the rest is still being sent; then nothing is read here.
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 431 ", StringComparison.Ordinal), answer);
        Assert.Empty(fixture.A.Log.Exceptions);
    }

    [Fact]
    public async Task Unknown_keys_make_the_gateway_ask_the_issuer_a_few_times_a_minute_at_most()
    {
        Assert.Equal(200, await fixture.A.StatusAsync(_issuer.Issue()));
        var before = _issuer.Reads;
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 50; i++)
            Assert.Equal(401, await fixture.A.StatusAsync(Forge("unknown kid")));

        var quarters = (int)TimeProvider.System.GetElapsedTime(began).TotalSeconds / 15;
        Assert.InRange(_issuer.Reads - before, 0, 1 + quarters);
    }

    // In Latin-1, so that a test can write octets that are no UTF-8.
    private string SignedAs(string header, string payload)
    {
        var signed = $"{Encode(Encoding.Latin1.GetBytes(header))}.{Encode(Encoding.Latin1.GetBytes(payload))}";
        return $"{signed}.{Encode(Sign(_issuer.Key)(Encoding.ASCII.GetBytes(signed)))}";

        static string Encode(byte[] octets) => Microsoft.IdentityModel.Tokens.Base64UrlEncoder.Encode(octets);
    }

    private string? Forge(string forgery)
    {
        var good = _issuer.Issue();
        var parts = good.Split('.');
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var kid = TestIssuer.Id(_issuer.Key);
        var payload = new { iss = TestIssuer.Issuer, aud = TestIssuer.Audience, sub = "root", iat = now, exp = now + 600 };
        return forgery switch
        {
            "none" or "None" => TestIssuer.Forge(new { alg = forgery, typ = "at+jwt", kid }, payload, _ => []),
            "HS256 with the public key" => TestIssuer.Forge(new { alg = "HS256", typ = "at+jwt", kid }, payload,
                signed => HMACSHA256.HashData(Encoding.ASCII.GetBytes(_issuer.Key.ExportSubjectPublicKeyInfoPem()), signed)),
            "HS256 with the modulus" => TestIssuer.Forge(new { alg = "HS256", typ = "at+jwt", kid }, payload,
                signed => HMACSHA256.HashData(_issuer.Key.ExportParameters(false).Modulus!, signed)),
            "another key under the same kid" => _issuer.Issue(key: Other),
            "another key at jku and x5u" => TestIssuer.Forge(
                new { alg = "RS256", typ = "at+jwt", kid = "evil", jku = fixture.Origin.Address + "evil", x5u = fixture.Origin.Address + "evil" }, payload, Sign(Other)),
            "another key in jwk" => TestIssuer.Forge(
                new { alg = "RS256", typ = "at+jwt", jwk = new { kty = "RSA", n = Convert.ToBase64String(Other.ExportParameters(false).Modulus!), e = "AQAB" } }, payload, Sign(Other)),
            "unknown kid" => TestIssuer.Forge(new { alg = "RS256", typ = "at+jwt", kid = Guid.NewGuid() }, payload, Sign(Other)),
            "crit" => TestIssuer.Forge(new { alg = "RS256", typ = "at+jwt", kid, crit = Critical }, payload, Sign(_issuer.Key)),
            "cut signature" => good[..^10],
            "no signature" => $"{parts[0]}.{parts[1]}.",
            "changed payload" => $"{parts[0]}.{_issuer.Issue("root").Split('.')[1]}.{parts[2]}",
            "issuer" => _issuer.Issue(change: ("iss", "https://evil.example")),
            "audience" => _issuer.Issue(change: ("aud", "bank")),
            "audience with a slash" => _issuer.Issue(change: ("aud", "shop/")),
            "no audience" => _issuer.Issue(change: ("aud", null)),
            "type JWT" => _issuer.Issue(type: "JWT"),
            "no type" => TestIssuer.Forge(new { alg = "RS256", kid }, payload, Sign(_issuer.Key)),
            "expired" => _issuer.Issue(change: [("iat", now - 700), ("exp", now - 100)]),
            "not yet valid" => _issuer.Issue(change: ("nbf", now + 300)),
            "issued in the future" => _issuer.Issue(change: ("iat", now + 300)),
            "no exp" => _issuer.Issue(change: ("exp", null)),
            "no iat" => _issuer.Issue(change: ("iat", null)),
            "exp as text" => TestIssuer.Forge(new { alg = "RS256", typ = "at+jwt", kid }, new { payload.iss, payload.aud, payload.iat, exp = "tomorrow" }, Sign(_issuer.Key)),
            "exp out of range" => TestIssuer.Forge(new { alg = "RS256", typ = "at+jwt", kid }, new { payload.iss, payload.aud, payload.iat, exp = 1e300 }, Sign(_issuer.Key)),
            "too long lived" => _issuer.Issue(change: ("exp", now + (2 * 86400))),
            "RS512, which the key does not allow" => _issuer.Issue(algorithm: "RS512"),
            "huge" => $"{parts[0]}.{new string('A', 17_000)}.{parts[2]}",
            "garbage" => "garbage",
            "two dots" => "..",
            "payload that is no object" => TestIssuer.Forge(new { alg = "RS256", typ = "at+jwt", kid }, Critical, Sign(_issuer.Key)),
            "encrypted" => "a.b.c.d.e",
            "empty" => "",
            "spaces" => "a b c",
            _ => good.Replace('.', '/') + "==.+.",
        };
    }

    private static Func<byte[], byte[]> Sign(RSA key) => signed => key.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
}
