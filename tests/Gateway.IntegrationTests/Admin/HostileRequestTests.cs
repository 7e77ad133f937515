using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.IntegrationTests.Chaos;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Admin;

/// <summary>
/// What a hostile client sends to the admin listener: each endpoint of the OpenAPI document, with values that nobody
/// expects in each of its parameters and in each member of its body. Bad input is an expected case: never an error of the gateway's own.
/// </summary>
public sealed class HostileRequestTests : IAsyncLifetime
{
    private static readonly string Long = new('x', 100_000);

    private static readonly string[] Texts =
    [
        "", " ", "\0", "a\0b", "a\nb", "-1", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e400", "NaN", "true", "ä\u202e\ufffd",
        "http://", "http://xn--/", "http://xn--a.example/xn--", "http://[::1%25x]/", "http://a:99999/", "http:///x", "http://a/%00", "http://a/%zz/%c0%af/..;/",
        "file:///etc/passwd", "http://a/" + new string('/', 5000), "Header:", "Claim:\0", "*", "{x}", "2026-13-45T99:99:99Z", "9999-12-31T23:59:59Z", "99999999.00:00:00", Long,
    ];

    private static readonly string[] Bodies =
    [
        "null", "-1", "0", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "1e400", "0.5", "true", "[]", "{}", "[null]", "[[]]", "[-1]", "[\"\"]",
        "[{}]", "{\"\":null}", "{\"ClientIp\":null}", "{\"a\":\"\\u0000\"}", "{\"Header:\":\"x\"}", "{\"a\":{}}", "\"\\ud800\"", "[\"\\ud800\"]", "{\"\\ud800\":\"x\"}",
    ];

    // Valid but for the one member that is replaced, so that the others do not refuse the request first.
    private static readonly Dictionary<string, string> Valid = new()
    {
        ["/cache/purge"] = """{"tag":"a"}""",
        ["/cache/explain"] = """{"url":"http://shop.example/catalog/1"}""",
        ["/links"] = """{"target":"https://example.com/"}""",
        ["/rate-limits/lists"] = """{"list":"deny","policy":"per-client","by":"Header:X-Key","value":"v"}""",
        ["/rate-limits/counters"] = """{"policy":"per-client","identity":{"ClientIp":"192.0.2.1"}}""",
        ["/rate-limits/reset"] = """{"policy":"per-client","identity":{"ClientIp":"192.0.2.1"}}""",
        ["/tokens/revoke"] = """{"subject":"nobody"}""",
        ["/api-keys"] = """{"scheme":"partners","owner":"nobody"}""",
        ["/sessions/drain"] = """{"cluster":"cart","destination":"a"}""",
    };

    private readonly List<string> _errors = [];
    private RedisServer _redis = null!;
    private StorefrontWorld _world = null!;
    private JsonElement _document;
    private int _sent;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _world = await StorefrontWorld.StartAsync(_redis.ConnectionString);
        _document = JsonDocument.Parse(await _world.NodeA.Admin.GetStringAsync("/openapi.json")).RootElement;
    }

    public async Task DisposeAsync()
    {
        await _world.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task No_member_of_a_body_makes_an_error_of_the_gateway()
    {
        foreach (var (method, path, operation) in Operations().Where(operation => operation.Operation.TryGetProperty("requestBody", out _)))
        {
            foreach (var name in MembersOf(operation).Append("no-such-member"))
            {
                foreach (var value in Bodies.Concat(Texts.Select(text => JsonSerializer.Serialize(text))))
                    await SendAsync(method, Filled(path), Json(With(Valid.GetValueOrDefault(path, "{}"), name, value)));
            }
        }

        AssertNoErrors(atLeast: 500);
    }

    [Fact]
    public async Task No_body_of_another_form_makes_an_error_of_the_gateway()
    {
        byte[][] bodies =
        [
            [], "{"u8.ToArray(), "nul"u8.ToArray(), [0], [0xff, 0xfe, 0], [0xef, 0xbb, 0xbf, .. "{}"u8], "{\"a\":1,\"a\":2}"u8.ToArray(), "{} {}"u8.ToArray(), "{\"tag\":'a'}"u8.ToArray(),
            "\"\xff\""u8.ToArray(), Encoding.UTF8.GetBytes(new string('[', 10_000)), Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 1000))), Encoding.Unicode.GetBytes("{}"),
        ];
        string[] types = ["application/json", "application/json; charset=utf-16", "application/json; charset=none", "application/json; charset=utf-7", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"];
        foreach (var (method, path, _) in Operations())
        {
            foreach (var body in bodies)
            {
                foreach (var type in types)
                    await SendAsync(method, Filled(path), Content(body, type));
            }

            await SendAsync(method, Filled(path), null);
            foreach (var value in Bodies)
                await SendAsync(method, Filled(path), Json(value));
        }

        AssertNoErrors(atLeast: 500);
    }

    [Fact]
    public async Task No_parameter_makes_an_error_of_the_gateway()
    {
        foreach (var (method, path, operation) in Operations().Where(operation => operation.Operation.TryGetProperty("parameters", out _)))
        {
            foreach (var parameter in operation.GetProperty("parameters").EnumerateArray())
            {
                var name = parameter.GetProperty("name").GetString()!;
                foreach (var text in Texts.Select(text => Uri.EscapeDataString(text[..Math.Min(text.Length, 2000)])).Concat(["%ff", "%", "%u0000", "&" + name + "=1", "%F0%90"]))
                {
                    var target = parameter.GetProperty("in").GetString() == "path" ? path.Replace($"{{{name}}}", text, StringComparison.Ordinal) : $"{Filled(path)}?{name}={text}";
                    await SendAsync(method, Filled(target), Valid.TryGetValue(path, out var valid) && operation.TryGetProperty("requestBody", out _) ? Json(valid) : null);
                }
            }
        }

        AssertNoErrors(atLeast: 300);
    }

    [Fact]
    public async Task A_number_or_a_truth_that_does_not_bind_is_answered_with_a_problem()
    {
        var sent = 0;
        foreach (var (method, path, operation) in Operations().Where(operation => operation.Operation.TryGetProperty("parameters", out _)))
        {
            foreach (var parameter in operation.GetProperty("parameters").EnumerateArray().Where(IsNumberOrTruth))
            {
                sent++;
                using var request = new HttpRequestMessage(new HttpMethod(method), $"{Filled(path)}?{parameter.GetProperty("name").GetString()}=many");
                if (operation.TryGetProperty("requestBody", out _))
                    request.Content = Json(Valid.GetValueOrDefault(path, "{}"));
                using var answer = await _world.NodeA.Admin.SendAsync(request);
                Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
                Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            }
        }

        Assert.InRange(sent, 8, int.MaxValue);

        static bool IsNumberOrTruth(JsonElement parameter) =>
            parameter.GetProperty("in").GetString() == "query" && parameter.GetProperty("schema").GetRawText() is var schema
                && (schema.Contains("integer", StringComparison.Ordinal) || schema.Contains("boolean", StringComparison.Ordinal));
    }

    private IEnumerable<(string Method, string Path, JsonElement Operation)> Operations() =>
        from path in _document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select (operation.Name.ToUpperInvariant(), path.Name, operation.Value);

    private IEnumerable<string> MembersOf(JsonElement operation)
    {
        var schema = operation.GetProperty("requestBody").GetProperty("content").EnumerateObject().First().Value.GetProperty("schema");
        if (schema.TryGetProperty("oneOf", out var forms))
            schema = forms.EnumerateArray().First(form => form.TryGetProperty("$ref", out _));
        if (!schema.TryGetProperty("$ref", out var reference))
            return [];
        return _document.GetProperty("components").GetProperty("schemas").GetProperty(reference.GetString()!.Split('/')[^1])
            .GetProperty("properties").EnumerateObject().Select(member => member.Name);
    }

    private async Task SendAsync(string method, string path, HttpContent? content)
    {
        _sent++;
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(_world.NodeA.AdminAddress, path)) { Content = content };
        try
        {
            using var response = await _world.NodeA.Admin.SendAsync(request);
            // On a busy machine Redis may miss its deadline.
            if ((int)response.StatusCode >= 500 && response.StatusCode != HttpStatusCode.ServiceUnavailable)
                _errors.Add($"{method} {Short(path)} with {Short(content is null ? "" : Encoding.Latin1.GetString(await content.ReadAsByteArrayAsync()))}, {content?.Headers.NonValidated.ToString()}, was answered {(int)response.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            _errors.Add($"{method} {Short(path)} was not answered: {e.Message}");
        }
    }

    private void AssertNoErrors(int atLeast)
    {
        Assert.True(_errors.Count == 0, string.Join('\n', _errors.Take(40)));
        Assert.Empty(_world.NodeA.Log.Exceptions);
        Assert.True(_sent >= atLeast, $"Only {_sent} requests were made of the document.");
    }

    private static string Filled(string path) => path
        .Replace("{id}", "0123", StringComparison.Ordinal).Replace("{slug}", "none", StringComparison.Ordinal);

    private static string With(string valid, string name, string value)
    {
        var members = JsonNode.Parse(valid)!.AsObject().Where(member => member.Key != name).Select(member => $"{JsonSerializer.Serialize(member.Key)}:{member.Value!.ToJsonString()}");
        return $"{{{string.Join(',', members.Append($"{JsonSerializer.Serialize(name)}:{value}"))}}}";
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static ByteArrayContent Content(byte[] bytes, string type)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return content;
    }

    private static string Short(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
