using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Caching;

/// <summary>What one client can send must not become what others get: the origin here answers with all that it saw of the request.</summary>
public sealed class PoisoningTests : IAsyncLifetime
{
    private RawOrigin _origin = null!;
    private GatewayNode _node = null!;

    public async Task InitializeAsync()
    {
        _origin = RawOrigin.Start();
        _origin.Answer = Echo;
        _node = await GatewayNode.StartAsync(new { ReverseProxy = _origin.ProxySection() });
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Theory]
    [InlineData("Forwarded: for=1.2.3.4;host=evil.example;proto=evil")]
    [InlineData("X-Forwarded-Host: evil.example")]
    [InlineData("X-Forwarded-Proto: evil")]
    [InlineData("X-Forwarded-Scheme: evil")]
    [InlineData("X-Forwarded-Port: 1evil")]
    [InlineData("X-Forwarded-Prefix: /evil")]
    [InlineData("X-Forwarded-Server: evil.example")]
    [InlineData("x-forwarded-anything: evil")]
    [InlineData("X-Original-URL: /evil")]
    [InlineData("X-Original-Host: evil.example")]
    [InlineData("X-Rewrite-URL: /evil")]
    [InlineData("X-Host: evil.example")]
    [InlineData("X-HTTP-Host-Override: evil.example")]
    [InlineData("X-HTTP-Method-Override: EVIL")]
    [InlineData("X-HTTP-Method: EVIL")]
    [InlineData("X-Method-Override: EVIL")]
    [InlineData("X-Url-Scheme: evil")]
    [InlineData("X-Scheme: evil")]
    [InlineData("X-HTTPS: evil")]
    [InlineData("X-Forwarded: evil.example")]
    [InlineData("X-Backend-Host: evil.example")]
    [InlineData("X-Override-URL: /evil")]
    [InlineData("X-Proxy-URL: http://evil.example/")]
    [InlineData("X-HTTP-DestinationURL: http://evil.example/")]
    [InlineData("X-Envoy-Original-Path: /evil")]
    [InlineData("X-MS-Original-URL: /evil")]
    [InlineData("X-Proto: evil")]
    [InlineData("X-Port: 1evil")]
    [InlineData("X-SSL: evil")]
    [InlineData("X-Prefix: /evil")]
    [InlineData("X-Base-Url: http://evil.example/")]
    [InlineData("X-Override-Method: EVIL")]
    [InlineData("X-Matched-Path: /evil")]
    [InlineData("x-middleware-prefetch: evil")]
    [InlineData("CF-Visitor: {\"scheme\":\"evil\"}")]
    [InlineData("CloudFront-Forwarded-Proto: evil")]
    [InlineData("WL-Proxy-SSL: evil")]
    [InlineData("Script_Name: /evil")]
    // Behind CGI and its like these are the same names.
    [InlineData("X_Forwarded_Host: evil.example")]
    [InlineData("X-Forwarded_Proto: evil")]
    [InlineData("X_HTTP_Method_Override: EVIL")]
    [InlineData("X_Forwarded_For: evil")]
    // RFC 9110 §7.6.1: for this connection alone.
    [InlineData("X-Hop: evil\r\nConnection: keep-alive, x-hop")]
    [InlineData("Front-End-Https: evil")]
    [InlineData("If-None-Match: \"evil\"")]
    [InlineData("If-Modified-Since: evil")]
    [InlineData("If-Range: \"evil\"")]
    public async Task A_field_that_makes_a_request_another_than_its_key_says_reaches_no_origin_whose_answer_is_stored(string field)
    {
        await _node.RawGetAsync("/x", $"{field}\r\n");

        var next = await _node.GetAsync("/x");

        Assert.StartsWith("Gateway; hit", next.CacheStatus(), StringComparison.Ordinal);
        Assert.DoesNotContain("evil", await next.TextAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task What_the_policy_varies_by_reaches_the_origin_and_its_answer_those_alone_who_sent_the_same()
    {
        await using var node = await GatewayNode.StartAsync(new
        {
            ReverseProxy = _origin.ProxySection(),
            OutputCache = new { Policies = new { origin = new { VaryByHeader = new[] { "X-Forwarded-Port" } } } },
        });

        Assert.Contains("X-Forwarded-Port: 8443", await (await node.GetAsync("/x", ("X-Forwarded-Port", "8443"))).TextAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("8443", await (await node.GetAsync("/x")).TextAsync(), StringComparison.Ordinal);
        Assert.StartsWith("Gateway; hit", (await node.GetAsync("/x", ("X-Forwarded-Port", "8443"))).CacheStatus(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 4\r\n", "evil")]
    [InlineData("Transfer-Encoding: chunked\r\n", "4\r\nevil\r\n0\r\n\r\n")]
    public async Task A_get_with_a_body_is_forwarded_and_neither_stored_nor_answered_from_the_store(string fields, string body)
    {
        var fat = await _node.RawGetAsync("/x", fields, body: body);
        Assert.Contains("Cache-Status: Gateway; fwd=bypass; fwd-status=200; detail=request-body", fat, StringComparison.Ordinal);

        Assert.Equal("Gateway; fwd=uri-miss; fwd-status=200; stored", (await _node.GetAsync("/x")).CacheStatus());
    }

    [Theory]
    [InlineData("/a%2fb")]
    [InlineData("/a%2Fb")]
    [InlineData("/a%252fb")]
    [InlineData("/a/b")]
    [InlineData("/a//b")]
    [InlineData("//a/b")]
    [InlineData("/a/./b")]
    [InlineData("/a/%2e/b")]
    [InlineData("/c/..%2fa/b")]
    [InlineData("/c/../a/b")]
    [InlineData("/c/%2e%2e/a/b")]
    [InlineData("/c/%252e%252e/a/b")]
    [InlineData("/a\\b")]
    [InlineData("/a%5cb")]
    [InlineData("/a;p=1/b")]
    [InlineData("/a%3bp=1/b")]
    [InlineData("/a/b;x.css")]
    [InlineData("/a/b%3bx.css")]
    [InlineData("/a/b;jsessionid=1")]
    [InlineData("/a;/b")]
    [InlineData("/c/..;/a/b")]
    [InlineData("/a%2f..%2fa%2fb")]
    [InlineData("/x%2f%2e%2e%2fa/b")]
    [InlineData("/a/b%2f")]
    [InlineData("/a/b/")]
    [InlineData("/a/b%09")]
    [InlineData("/a/b%20")]
    [InlineData("/a/b%0d%0aX:evil")]
    [InlineData("/a/b%u002ecss")]
    [InlineData("/a/b%zz")]
    [InlineData("/a/b%")]
    [InlineData("/a/b%25")]
    [InlineData("/a/b%2523x")]
    [InlineData("/a/b!x.js")]
    [InlineData("/a/b\u000b")]
    [InlineData("/a/b\u007f")]
    [InlineData("/a/b~x")]
    [InlineData("/a/b@x")]
    [InlineData("/a/b:x")]
    [InlineData("/a/b,x")]
    [InlineData("/a/b|x")]
    [InlineData("/a/b%7cx")]
    [InlineData("/a/b%e2%88%95c")]
    [InlineData("/a/b?q=1%26r=2")]
    [InlineData("/a/b?q[]=1")]
    [InlineData("/a/b?Q=1")]
    [InlineData("/a/b?%71=1")]
    [InlineData("/a/b??q=1")]
    [InlineData("/a/b?q=+1")]
    [InlineData("/a/b?q=%201")]
    [InlineData("/a/b.css")]
    [InlineData("/a/b%00.css")]
    [InlineData("/a/b%0a.css")]
    [InlineData("/a/b%23x")]
    [InlineData("/a/b#x")]
    [InlineData("/a/b%3fq=1")]
    [InlineData("/a/b?q=1")]
    [InlineData("/a/b?q=%31")]
    [InlineData("/a/b?q=1&q=2")]
    [InlineData("/a/b?q=1;q=2")]
    [InlineData("/a/b?q=1#x")]
    [InlineData("/a/b?")]
    [InlineData("/A/B")]
    [InlineData("/%61/b")]
    [InlineData("/a/b ")]
    [InlineData("/caf%c3%a9")]
    [InlineData("/caf%e9")]
    [InlineData("/caf\u00c3\u00a9")]
    [InlineData("/%c0%ae%c0%ae/b")]
    public async Task A_target_written_in_whatever_way_is_answered_with_what_the_origin_says_of_it(string target)
    {
        // What is stored for the others must not be given out for this one.
        foreach (var other in new[] { "/a/b", "/a%2fb", "/a", "/", "/a/b?q=1", "/a%5cb", "/caf%c3%a9", "/a/b%23x", "/a/b%3fq=1" })
            await _node.RawGetAsync(other);

        var (stored, asked) = (await _node.RawGetAsync(target), await _node.RawGetAsync(target, "Cache-Control: no-cache\r\n"));

        Assert.Equal(FirstLineOfBody(asked), FirstLineOfBody(stored));
        Assert.DoesNotContain("HTTP/1.1 5", asked, StringComparison.Ordinal);
        Assert.Empty(_node.Log.Exceptions);
    }

    [Theory]
    [InlineData("shop.example:80")]
    [InlineData("SHOP.EXAMPLE")]
    [InlineData("shop.example.")]
    [InlineData("shop.example:")]
    [InlineData("shop.example:8080")]
    [InlineData("shop.example:0080")]
    [InlineData("Shop.example:00000000080")]
    [InlineData("shop.example:99999")]
    [InlineData("evil@shop.example")]
    [InlineData("shop.example/evil")]
    [InlineData("shop.example?evil")]
    [InlineData("shop.example, evil.example")]
    [InlineData("[::1]")]
    [InlineData("xn--caf-dma.example")]
    public async Task A_host_written_in_whatever_way_leaves_nothing_of_itself_to_others(string host)
    {
        var first = await _node.RawGetAsync("/x", host: host);

        var next = await (await _node.GetAsync("/x")).TextAsync();

        Assert.DoesNotContain("HTTP/1.1 5", first, StringComparison.Ordinal);
        Assert.Contains("X-Forwarded-Host: shop.example\r\n", next, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", next, StringComparison.Ordinal);
        Assert.DoesNotContain(":8080", next, StringComparison.Ordinal);
        Assert.Empty(_node.Log.Exceptions);
    }

    [Theory]
    [InlineData("shop.example:80")]
    [InlineData("SHOP.example")]
    public async Task An_origin_that_wants_its_host_in_one_spelling_redirects_nobody_who_has_it(string host)
    {
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = _origin.ProxySection(new Dictionary<string, string> { ["RequestHeaderOriginalHost"] = "true" }) });
        _origin.Answer = head => head.Contains("\r\nHost: shop.example\r\n", StringComparison.Ordinal)
            ? Answer("Cache-Control: max-age=60", "page")
            : "HTTP/1.1 301 Moved Permanently\r\nCache-Control: max-age=60\r\nLocation: http://shop.example/x\r\nContent-Length: 0\r\n\r\n";

        await node.RawGetAsync("/x", host: host);

        Assert.Equal("page", await (await node.GetAsync("/x")).TextAsync());
    }

    [Theory]
    [InlineData("no-cache=\"Vary\"")]
    [InlineData("private=\"Vary, X-Other\"")]
    public async Task A_response_whose_selection_must_not_be_stored_is_given_to_nobody_else(string directive)
    {
        _origin.Answer = head => Answer($"Cache-Control: max-age=60, {directive}\r\nVary: X-User", head.Contains("X-User: alice", StringComparison.Ordinal) ? "alice" : "other");

        await _node.GetAsync("/x", ("X-User", "alice"));

        Assert.Equal("other", await (await _node.GetAsync("/x", ("X-User", "bob"))).TextAsync());
    }

    [Fact]
    public async Task An_error_that_large_fields_caused_is_given_to_nobody_else()
    {
        // As nginx answers, where other servers say 431.
        _origin.Answer = head => head.Length > 8192
            ? "HTTP/1.1 400 Bad Request\r\nCache-Control: max-age=60\r\nContent-Length: 0\r\n\r\n"
            : Answer("Cache-Control: max-age=60", "body");

        Assert.StartsWith("HTTP/1.1 400", await _node.RawGetAsync("/x", $"X-Large: {new string('a', 8100)}\r\n"), StringComparison.Ordinal);

        Assert.Equal("body", await (await _node.GetAsync("/x")).TextAsync());
    }

    [Theory]
    [InlineData("GET http://evil.example/x HTTP/1.1\r\nHost: shop.example\r\n")]
    [InlineData("GET http://shop.example/x HTTP/1.1\r\nHost: evil.example\r\n")]
    [InlineData("GET http://evil@shop.example/x HTTP/1.1\r\nHost: shop.example\r\n")]
    [InlineData("GET https://shop.example/x?evil HTTP/1.1\r\nHost: shop.example\r\n")]
    public async Task An_absolute_target_leaves_nothing_to_those_who_ask_for_the_path(string request)
    {
        await _node.RawAsync(request + "Connection: close\r\n\r\n");

        Assert.DoesNotContain("evil", await (await _node.GetAsync("/x")).TextAsync(), StringComparison.Ordinal);
        Assert.Empty(_node.Log.Exceptions);
    }

    [Fact]
    public async Task A_request_that_the_origin_refuses_takes_the_stored_response_from_nobody()
    {
        _origin.Answer = head => head.Contains("X-Oversized", StringComparison.Ordinal)
            ? "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
            : Answer("Cache-Control: max-age=60, stale-while-revalidate=60", "body");
        await _node.GetAsync("/x");

        await _node.GetAsync("/x", ("Cache-Control", "no-cache"), ("X-Oversized", "1"));

        Assert.StartsWith("Gateway; hit; ttl=", (await _node.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_one_client_cannot_accept_is_taken_from_nobody()
    {
        // RFC 9110 §15.5.7, without a word of which field it is about.
        _origin.Answer = head => head.Contains("Accept: evil/", StringComparison.Ordinal)
            ? "HTTP/1.1 406 Not Acceptable\r\nCache-Control: max-age=60\r\nContent-Length: 0\r\n\r\n"
            : Answer("Cache-Control: max-age=60", "body");

        var refused = await _node.GetAsync("/x", ("Accept", "evil/1"));

        Assert.Equal("Gateway; fwd=uri-miss; fwd-status=406; detail=request-status", refused.CacheStatus());
        Assert.Equal("body", await (await _node.GetAsync("/x")).TextAsync());
    }

    [Theory]
    [InlineData("X-Meta: a\u0001evil")]
    [InlineData("X-Meta: a\u007fevil")]
    public async Task An_error_that_an_invalid_field_caused_is_given_to_nobody_else(string field)
    {
        // RFC 9110 §5.5: the server lets these characters through, and origins may not.
        _origin.Answer = head => head.Contains("evil", StringComparison.Ordinal)
            ? "HTTP/1.1 400 Bad Request\r\nCache-Control: max-age=60\r\nContent-Length: 0\r\n\r\n"
            : Answer("Cache-Control: max-age=60", "body");

        Assert.StartsWith("HTTP/1.1 400", await _node.RawGetAsync("/x", $"{field}\r\n"), StringComparison.Ordinal);

        Assert.Equal("body", await (await _node.GetAsync("/x")).TextAsync());
    }

    [Fact]
    public async Task A_response_in_a_coding_goes_to_those_who_asked_alike_also_where_the_origin_forgot_Vary()
    {
        _origin.Answer = head => head.Contains("Accept-Encoding: br", StringComparison.Ordinal)
            ? Answer("Cache-Control: max-age=60\r\nContent-Encoding: br", "brotli")
            : Answer("Cache-Control: max-age=60", "plain");

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("brotli", await (await _node.GetAsync("/x", ("Accept-Encoding", "br"))).TextAsync());
            Assert.Equal("plain", await (await _node.GetAsync("/y")).TextAsync());
        }

        Assert.Equal("plain", await (await _node.GetAsync("/x")).TextAsync());
    }

    [Theory]
    [InlineData("get")]
    [InlineData("Get")]
    public async Task A_method_in_another_case_is_another_method(string method)
    {
        await _node.GetAsync("/x");

        var other = await _node.RawAsync($"{method} /x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");

        Assert.DoesNotContain("Gateway; hit", other, StringComparison.Ordinal);
        Assert.StartsWith("Gateway; hit", (await _node.GetAsync("/x")).CacheStatus(), StringComparison.Ordinal);
        Assert.Empty(_node.Log.Exceptions);
    }

    [Theory]
    [InlineData("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings\r\n")]
    [InlineData("Upgrade: TLS/1.3\r\nConnection: Upgrade\r\n")]
    public async Task No_protocol_that_the_gateway_does_not_know_is_tunnelled_to_the_origin(string fields)
    {
        // What goes through a tunnel no rule of the gateway sees.
        var answer = await _node.RawAsync($"GET /x HTTP/1.1\r\nHost: shop.example\r\n{fields}\r\nGET /y HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\nUpgrade:", answer[answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)..], StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("HTTP2-Settings", answer, StringComparison.OrdinalIgnoreCase);
    }

    private static string FirstLineOfBody(string response) =>
        response.Split("\r\n\r\n", 2) is [var head, var body] && head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) ? body.Split("\r\n")[0] : response.Split("\r\n")[0];

    private static string Echo(string head) => Answer("Cache-Control: max-age=60", head);

    private static string Answer(string fields, string body) => $"HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: {body.Length}\r\n\r\n{body}";
}
