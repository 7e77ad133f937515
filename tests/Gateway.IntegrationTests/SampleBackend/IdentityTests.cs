using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using global::SampleBackend.Hosting;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.IntegrationTests.SampleBackend;

public sealed class IdentityTests(StorefrontFixture fixture) : IClassFixture<StorefrontFixture>
{
    private static readonly AuthenticationHeaderValue GatewayCredentials =
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("gateway:gatekeeper")));

    private readonly HttpClient _client = fixture.Backend.Client;

    [Fact]
    public async Task A_token_is_good_by_the_published_keys_and_says_who_it_is_for()
    {
        var token = await TokenAsync(_client);
        var metadata = await _client.GetFromJsonAsync<JsonElement>("/identity/.well-known/openid-configuration");
        Assert.Equal("http://localhost:8080/identity/jwks", metadata.GetProperty("jwks_uri").GetString());

        var result = await ValidateAsync(token, _client, metadata.GetProperty("issuer").GetString()!);

        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("alice", result.Claims["sub"]);
        Assert.Equal("gold", result.Claims["plan"]);
        Assert.Equal("catalog orders", result.Claims["scope"]);
        Assert.Equal("at+jwt", ((JsonWebToken)result.SecurityToken).Typ);
        Assert.NotEqual(((JsonWebToken)result.SecurityToken).Id, new JsonWebToken(await TokenAsync(_client)).Id);
    }

    [Fact]
    public async Task Backends_that_start_together_with_one_key_file_serve_one_key()
    {
        var directory = Directory.CreateTempSubdirectory("gateway-key-");
        var file = Path.Combine(directory.FullName, "new", "signing.pem");
        var backends = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Storefront.StartAsync($"Identity:SigningKeyFile={file}"))));
        try
        {
            var sets = await Task.WhenAll(backends.Select(backend => backend.Client.GetStringAsync("/identity/jwks")));
            Assert.Single(sets.Distinct());
            Assert.Equal([file], Directory.GetFiles(Path.GetDirectoryName(file)!));
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));

            var result = await ValidateAsync(await TokenAsync(backends[0].Client), backends[3].Client, "http://localhost:8080/identity");
            Assert.True(result.IsValid, result.Exception?.Message);
        }
        finally
        {
            foreach (var backend in backends) await backend.DisposeAsync();
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_configuration_that_cannot_be_stops_the_start_with_every_error_and_its_path()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "not a key");
        var key = await Assert.ThrowsAsync<ConfigurationException>(() => Storefront.StartAsync($"Identity:SigningKeyFile={file}"));
        var values = await Assert.ThrowsAsync<ConfigurationException>(
            () => Storefront.StartAsync("Identity:Lifetime=02:00:00", "Identity:Issuer=nowhere", "Identity:Accounts:eve:Scope=catalog", "Name=a b", "Catalog:SlowDelay=01:00:00"));
        var type = await Assert.ThrowsAsync<ConfigurationException>(() => Storefront.StartAsync("Catalog:SlowDelay=soon"));
        File.Delete(file);

        Assert.Contains("Identity:SigningKeyFile", key.Message, StringComparison.Ordinal);
        Assert.Contains("Catalog:SlowDelay", type.Message, StringComparison.Ordinal);
        foreach (var path in new[] { "Identity:Lifetime", "Identity:Issuer", "Identity:Accounts:eve:Password", "Name", "Catalog:SlowDelay" })
            Assert.Contains(values.Errors, error => error.StartsWith(path + ":", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "invalid_request", 400)]
    [InlineData("grant_type=", "invalid_request", 400)]
    [InlineData("grant_type=implicit", "unsupported_grant_type", 400)]
    [InlineData("grant_type=password&grant_type=password", "invalid_request", 400)]
    [InlineData("grant_type=password", "invalid_request", 400)]
    [InlineData("grant_type=password&username=alice", "invalid_request", 400)]
    [InlineData("grant_type=password&username=alice&password=wrong", "invalid_grant", 400)]
    [InlineData("grant_type=password&username=nobody&password=", "invalid_request", 400)]
    [InlineData("grant_type=password&username=nobody&password=x", "invalid_grant", 400)]
    [InlineData("grant_type=password&username=bob&password=builder&scope=orders", "invalid_scope", 400)]
    [InlineData("grant_type=password&username=bob&password=builder&lifetime=0", "invalid_request", 400)]
    [InlineData("grant_type=password&username=bob&password=builder&lifetime=601", "invalid_request", 400)]
    [InlineData("grant_type=client_credentials", "invalid_client", 401)]
    [InlineData("grant_type=client_credentials&client_id=bob&client_secret=wrong", "invalid_client", 401)]
    public async Task A_bad_token_request_gets_the_error_that_OAuth_names(string body, string error, int status)
    {
        using var response = await _client.PostAsync("/identity/token", new StringContent(body, Encoding.ASCII, "application/x-www-form-urlencoded"));

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(error, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString());
        Assert.Equal("no-store", response.Field("Cache-Control"));
        Assert.Equal(status == 401, response.Field("WWW-Authenticate").StartsWith("Basic", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("application/json", "{}")]
    [InlineData("multipart/form-data; boundary=x", "--x--")]
    [InlineData("nonsense", "a=b")]
    public async Task A_token_request_that_is_not_a_form_is_an_invalid_request(string type, string body)
    {
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var response = await _client.PostAsync("/identity/token", content);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_request", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("Basic")]
    [InlineData("Basic !!!")]
    [InlineData("Basic Ym9i")]
    [InlineData("Bearer abc")]
    public async Task Client_credentials_that_cannot_be_read_are_refused(string authorization)
    {
        using var response = await _client.SendAsync(
            HttpMethod.Post, "/identity/token", Http.Form(("grant_type", "client_credentials")), ("Authorization", authorization));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Introspection_knows_its_own_tokens_until_they_expire_and_counts_the_calls()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var backend = await Storefront.StartAsync(time);
        var token = await TokenAsync(backend.Client, ("lifetime", "30"));

        Assert.Equal("alice", (await IntrospectAsync(backend.Client, token)).GetProperty("sub").GetString());
        Assert.False((await IntrospectAsync(backend.Client, token[..^4] + "AAAA")).GetProperty("active").GetBoolean());
        Assert.False((await IntrospectAsync(backend.Client, "nonsense")).GetProperty("active").GetBoolean());
        time.Advance(TimeSpan.FromSeconds(31));
        var expired = await IntrospectAsync(backend.Client, token);
        Assert.Equal("""{"active":false}""", expired.GetRawText());
        using var stranger = await backend.Client.PostAsync("/identity/introspect", Http.Form(("token", token)));
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);

        var count = await backend.Client.GetFromJsonAsync<JsonElement>("/identity/introspect/count");
        Assert.Equal(5, count.GetProperty("count").GetInt64());
    }

    [Fact]
    public async Task A_rotation_publishes_the_new_key_and_the_one_before_on_all_backends_with_the_key_file()
    {
        var directory = Directory.CreateTempSubdirectory("gateway-key-");
        var file = $"Identity:SigningKeyFile={Path.Combine(directory.FullName, "signing.pem")}";
        await using var a = await Storefront.StartAsync(file);
        await using var b = await Storefront.StartAsync(file);
        var first = await TokenAsync(b.Client);

        (await a.Client.PostAsync("/identity/rotate", null)).Dispose();
        var second = await TokenAsync(b.Client);
        Assert.NotEqual(new JsonWebToken(first).Kid, new JsonWebToken(second).Kid);
        foreach (var token in new[] { first, second })
            Assert.True((await ValidateAsync(token, b.Client, "http://localhost:8080/identity")).IsValid);

        (await a.Client.PostAsync("/identity/rotate", null)).Dispose();
        Assert.False((await ValidateAsync(first, b.Client, "http://localhost:8080/identity")).IsValid);
        Assert.True((await IntrospectAsync(b.Client, second)).GetProperty("active").GetBoolean());
        Assert.Equal(await a.Client.GetStringAsync("/identity/jwks"), await b.Client.GetStringAsync("/identity/jwks"));
        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task An_outage_on_request_answers_503_until_it_is_over()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var backend = await Storefront.StartAsync(time);
        using var wrong = await backend.Client.PostAsync("/identity/outage?seconds=301", null);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);

        (await backend.Client.PostAsync("/identity/outage?seconds=20", null)).Dispose();
        using (var away = await backend.Client.GetAsync("/identity/jwks"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(20), away.Headers.RetryAfter?.Delta);
        }

        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(HttpStatusCode.OK, (await backend.Client.GetAsync("/identity/jwks")).StatusCode);
    }

    private static async Task<string> TokenAsync(HttpClient client, params (string, string)[] more)
    {
        using var response = await client.PostAsync(
            "/identity/token", Http.Form([("grant_type", "password"), ("username", "alice"), ("password", "wonderland"), .. more]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;
    }

    private static async Task<TokenValidationResult> ValidateAsync(string token, HttpClient keys, string issuer) =>
        await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = issuer,
            ValidAudience = "storefront",
            IssuerSigningKeys = new JsonWebKeySet(await keys.GetStringAsync("/identity/jwks")).GetSigningKeys(),
            ValidAlgorithms = ["RS256"],
        });

    private static async Task<JsonElement> IntrospectAsync(HttpClient client, string token)
    {
        using var response = await client.SendAsync(
            HttpMethod.Post, "/identity/introspect", Http.Form(("token", token)), ("Authorization", GatewayCredentials.ToString()));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
