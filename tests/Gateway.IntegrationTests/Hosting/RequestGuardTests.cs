using System.Net;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Hosting;

public sealed class RequestGuardTests
{
    [Theory]
    [InlineData(new string[0], "http", "127.0.0.1")]
    [InlineData(new[] { "--ForwardedHeaders:KnownProxies:0=10.9.9.9" }, "http", "127.0.0.1")]
    [InlineData(new[] { "--ForwardedHeaders:KnownNetworks:0=127.0.0.0/8" }, "https", "203.0.113.9")]
    public async Task Forwarded_fields_are_believed_from_trusted_proxies_only(string[] args, string scheme, string client)
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() }, args: args);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("X-Forwarded-For", "203.0.113.9");
        request.Headers.Add("X-Forwarded-Proto", "https");
        using var response = await node.Public.SendAsync(request);

        var received = Assert.Single(origin.Requests);
        Assert.Equal(scheme, received.Headers["X-Forwarded-Proto"]);
        Assert.Equal(client, received.Headers["X-Forwarded-For"]);
    }

    [Fact]
    public async Task A_host_that_is_not_allowed_is_refused_and_a_reload_can_allow_it()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { AllowedHosts = "shop.example", ReverseProxy = origin.ProxySection() });

        Assert.StartsWith("HTTP/1.1 200", await node.RawGetAsync("/"), StringComparison.Ordinal);
        var refused = await node.RawGetAsync("/", host: "other.example");
        Assert.StartsWith("HTTP/1.1 400", refused, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", refused, StringComparison.Ordinal);

        await node.ReloadAsync(new { AllowedHosts = "*.example", ReverseProxy = origin.ProxySection() });
        Assert.StartsWith("HTTP/1.1 200", await node.RawGetAsync("/", host: "other.example"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "4")]
    [InlineData("G ET / HTTP/1.1\r\nHost: a\r\n\r\n", "400")]
    [InlineData("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400")]
    [InlineData("GET / HTTP/9.9\r\nHost: a\r\n\r\n", "505")]
    [InlineData("GET / HTTP/1.1\r\nHost: xn--0\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", "413")]
    [InlineData("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", "400")]
    [InlineData("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "4")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n", "4")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", "4")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "4")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n", "4")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", "4")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "4")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400")]
    [InlineData("head / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "501")]
    [InlineData("get / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "501")]
    [InlineData("Post / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "501")]
    [InlineData("TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "501")]
    [InlineData("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n", "501")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501")]
    [InlineData("GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a:99999\r\nConnection: close\r\n\r\n", "400")]
    public async Task A_malformed_request_gets_a_client_error_and_leaves_no_exception_in_the_log(string request, string status)
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        var response = await node.RawAsync(request);

        Assert.StartsWith($"HTTP/1.1 {status}", response, StringComparison.Ordinal);
        Assert.DoesNotContain("Server:", response, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("xn--")]
    [InlineData("xn--99zzzzzz.com")]
    [InlineData("shop.example, xn--99zzzzzz.com")]
    public async Task A_host_that_cannot_be_decoded_is_no_failure_of_the_gateway_where_a_proxy_passes_it_on(string host)
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() }, args: ["--ForwardedHeaders:KnownProxies:0=127.0.0.1"]);

        var response = await node.RawGetAsync("/", $"X-Forwarded-Host: {host}\r\n");

        Assert.StartsWith("HTTP/1.1 400", response, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", response, StringComparison.Ordinal);
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("a:")]
    [InlineData("a:080")]
    [InlineData("[::1]:8080")]
    [InlineData("[::1]")]
    [InlineData("caf\u00e9.example")]
    [InlineData("a.b-c_d.example.:65535")]
    public async Task No_request_reaches_an_origin_with_two_hosts(string host)
    {
        // RFC 9112 §3.2: which of them counts, each server decides for itself.
        await using var origin = RawOrigin.Start();
        var hosts = 0;
        origin.Answer = head =>
        {
            hosts = head.Split("\r\n").Count(line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase));
            return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        };
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection(new Dictionary<string, string> { ["RequestHeaderOriginalHost"] = "true" }) });

        var response = await node.RawGetAsync("/", host: host);

        Assert.Equal(response.StartsWith("HTTP/1.1 400", StringComparison.Ordinal) ? 0 : 1, hosts);
    }

    [Theory]
    [InlineData("0", "HTTP/1.1 204", "")]
    [InlineData("2", "HTTP/1.1 200", "1")]
    [InlineData("x", "HTTP/1.1 200", "x")]
    public async Task A_request_for_options_goes_as_far_as_it_says(string forwards, string answer, string forwarded)
    {
        // RFC 9110 §7.6.2.
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        var response = await node.RawAsync($"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: {forwards}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith(answer, response, StringComparison.Ordinal);
        Assert.Equal(forwarded, origin.Requests.SingleOrDefault()?.Headers["Max-Forwards"].ToString() ?? "");
    }

    [Theory]
    [InlineData("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 0\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0\n\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0;\n\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0;a\rb\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n1\r\nZ0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n")]
    [InlineData("Transfer-Encoding: identity, chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: \u000bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding\u0000: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    [InlineData("X: y\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")]
    public async Task After_a_request_whose_end_is_in_doubt_no_other_is_read_from_the_connection(string rest)
    {
        // RFC 9112 §6.1, §11.2.
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        await node.RawAsync($"POST / HTTP/1.1\r\nHost: a\r\n{rest}GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.Equal(0, origin.Count("/smuggled"));
        Assert.Empty(node.Log.Exceptions);
    }

    [Theory]
    [InlineData("POST", "Content-Length: {n}\r\n\r\n{hidden}")]
    [InlineData("GET", "Content-Length: {n}\r\n\r\n{hidden}")]
    [InlineData("HEAD", "Content-Length: {n}\r\n\r\n{hidden}")]
    [InlineData("OPTIONS", "Transfer-Encoding: chunked\r\n\r\n{x}\r\n{hidden}\r\n0\r\n\r\n")]
    [InlineData("GET", "Transfer-Encoding: chunked\r\n\r\n{x};ext=1\r\n{hidden}\r\n0\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST", "Expect: 100-continue\r\nContent-Length: {n}\r\n\r\n{hidden}")]
    [InlineData("POST", "Content-Length: +{n}\r\n\r\n{hidden}")]
    public async Task A_request_in_the_body_of_another_stays_a_body(string method, string rest)
    {
        // CL.0, TE.0: an end that ignores the body of such a request would read another request out of it.
        const string Hidden = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello").Map("/next", "next");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection(("OutputCachePolicy", "origin")) });
        rest = rest.Replace("{n}", $"{Hidden.Length}", StringComparison.Ordinal).Replace("{x}", $"{Hidden.Length:x}", StringComparison.Ordinal)
            .Replace("{hidden}", Hidden, StringComparison.Ordinal);

        for (var i = 0; i < 2; i++)
            await node.RawAsync($"{method} / HTTP/1.1\r\nHost: a\r\n{rest}GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.Equal(0, origin.Count("/smuggled"));
    }

    [Theory]
    [InlineData("X-Hop: 1\r\nConnection: X-Hop\r\n", "X-Hop")]
    [InlineData("X-Hop: 1\r\nConnection: \"x\", x-HOP\r\n", "X-Hop")]
    [InlineData("X-Hop: 1\r\nConnection: X-Other\r\nConnection: X-Hop\r\n", "X-Hop")]
    [InlineData("Cookie: a=b\r\nConnection: cookie\r\n", "Cookie")]
    public async Task What_Connection_names_goes_no_further_than_the_gateway(string fields, string name)
    {
        // RFC 9110 §7.6.1. Kestrel makes "close" of "close, X-Hop", and nobody can tell what it named: docs/conformance.md.
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        await node.RawAsync($"GET / HTTP/1.0\r\nHost: shop.example\r\n{fields}X-Kept: 2\r\n\r\n");

        var received = Assert.Single(origin.Requests).Headers;
        Assert.False(received.ContainsKey(name));
        Assert.Equal("2", received["X-Kept"]);
        Assert.Equal("shop.example", received["X-Forwarded-Host"]);
    }

    [Fact]
    public async Task Connection_takes_nothing_out_that_is_for_all_recipients()
    {
        // RFC 9110 §7.6.1: naming such a field is the client's error.
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        var answer = await node.RawAsync(
            "POST / HTTP/1.0\r\nHost: shop.example\r\nCache-Control: no-cache\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: cache-control, content-type, content-length, host, connection\r\n\r\nhi");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        var received = Assert.Single(origin.Requests).Headers;
        Assert.Equal("no-cache", received["Cache-Control"]);
        Assert.Equal("text/plain", received["Content-Type"]);
        Assert.Equal("2", received["Content-Length"]);
        Assert.Equal("shop.example", received["X-Forwarded-Host"]);
    }

    [Fact]
    public async Task A_client_cannot_take_from_a_trusted_proxy_the_word_on_who_asks()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/", "hello");
        await using var node = await GatewayNode.StartAsync(
            new { ReverseProxy = origin.ProxySection() }, args: ["--ForwardedHeaders:KnownNetworks:0=127.0.0.0/8"]);

        await node.RawAsync("GET / HTTP/1.0\r\nHost: shop.example\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: X-Forwarded-For\r\n\r\n");

        Assert.Equal("203.0.113.9", Assert.Single(origin.Requests).Headers["X-Forwarded-For"]);
    }

    [Fact]
    public async Task An_origin_that_is_down_is_a_502_and_tells_nothing_about_the_inside()
    {
        await using var node = await GatewayNode.StartAsync("""
            { "ReverseProxy": {
                "Routes": { "r": { "ClusterId": "c", "Match": { "Path": "{**path}" } } },
                "Clusters": { "c": { "Destinations": { "d": { "Address": "http://127.0.0.1:1" } } } } } }
            """);

        using var response = await node.Public.GetAsync("/");

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("127.0.0.1:1", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    [InlineData(500)]
    public async Task An_empty_error_of_the_origin_stays_as_it_is(int status)
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/", context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        using var response = await node.Public.GetAsync("/");

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Null(response.Content.Headers.ContentType);
        Assert.Empty(await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Octets_beyond_ASCII_in_fields_pass_both_ways_unchanged()
    {
        // RFC 9110 §5.5: obs-text
        await using var origin = (await TestOrigin.StartAsync()).Map("/", context =>
        {
            context.Response.Headers["X-Back"] = context.Request.Headers["X-There"];
            return context.Response.WriteAsync("hello");
        });
        await using var node = await GatewayNode.StartAsync(new { ReverseProxy = origin.ProxySection() });

        var response = await node.RawGetAsync("/", "X-There: caf\u00e9 \u00ff\r\n");

        Assert.StartsWith("HTTP/1.1 200", response, StringComparison.Ordinal);
        Assert.Contains("X-Back: caf\u00e9 \u00ff\r\n", response, StringComparison.Ordinal);
    }
}
