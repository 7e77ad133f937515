using System.Net;
using System.Net.WebSockets;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Hosting;

/// <summary>
/// What HTTP/2 can carry and HTTP/1.1 cannot must not become a second request, or other fields, on the connection to an origin
/// that speaks HTTP/1.1: RFC 9113 §8.2.1, §8.3.1, §10.3.
/// </summary>
public sealed class Http2RequestTests : IAsyncLifetime
{
    private const string Hidden = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

    private static readonly string[] Refusals = ["RST_STREAM", "GOAWAY", "400"];

    private TestOrigin _origin = null!;
    private GatewayNode _node = null!;

    public async Task InitializeAsync()
    {
        _origin = (await TestOrigin.StartAsync()).Map("/a", "hello", ("Cache-Control", "max-age=60"));
        _node = await GatewayNode.StartAsync(new
        {
            Kestrel = new { Endpoints = new { h2c = new { Url = "http://127.0.0.1:0", Protocols = "Http2" } } },
            ReverseProxy = _origin.ProxySection(("OutputCachePolicy", "origin")),
        });
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Fact]
    public async Task A_WebSocket_opened_in_HTTP_2_reaches_an_origin_that_speaks_HTTP_1()
    {
        // RFC 8441: CONNECT, which the gateway refuses without a protocol.
        _origin.Map("/socket", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync(Encoding.ASCII.GetBytes("hello"), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        });
        using var client = new ClientWebSocket { Options = { HttpVersion = HttpVersion.Version20, HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact } };
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler());

        await client.ConnectAsync(new UriBuilder(_node.PublicAddress) { Scheme = "ws", Path = "/socket" }.Uri, invoker, default);

        var received = new byte[16];
        var message = await client.ReceiveAsync(received, default);
        Assert.Equal("hello", Encoding.ASCII.GetString(received, 0, message.Count));
        Assert.Equal("GET", _origin.Requests[^1].Method);
    }

    [Fact]
    public async Task A_field_that_HTTP_1_cannot_carry_is_refused()
    {
        (string, string)[] fields =
        [
            ("x", "a\r\ny: b"), ("x", "a\ny: b"), ("x", "a\rb"), ("x", "a\0b"), ("X", "a"), ("", "a"), ("connection", "x-hop"), ("te", "gzip"),
            ("content-length", "3\r\ny: b"), ("content-length", "3, 3"), (":path", "/b"), (":authority", "b.example"), (":unknown", "b"),
        ];

        foreach (var field in fields)
            Assert.Contains(await _node.RawHttp2Async([.. Request(), field]), Refusals);
        Assert.Empty(_origin.Requests);
    }

    [Fact]
    public async Task A_request_line_that_would_be_another_in_HTTP_1_is_refused()
    {
        (string Name, string Value)[] lines =
        [
            (":path", "/a HTTP/1.1\r\nHost: b\r\n\r\nGET /smuggled"), (":path", "/a\0"), (":path", ""), (":path", "*"), (":path", "a"), (":path", "http://b.example/a"),
            (":path", "/a?b\r\nc"), (":method", "GET /smuggled"), (":method", "GET / HTTP/1.1\r\nHost: b\r\n\r\nGET"),
            (":authority", "a\r\nx: y"), (":authority", "a/b"), (":authority", "a@b"), (":scheme", "https"), (":scheme", "http://b/?"),
        ];

        foreach (var (name, value) in lines)
            Assert.Contains(await _node.RawHttp2Async(Request().Select(field => field.Name == name ? (name, value) : field)), Refusals);
        Assert.Contains(await _node.RawHttp2Async([(":method", "GET"), (":scheme", "http"), (":path", "/a"), ("host", "a"), ("host", "b")]), Refusals);
        Assert.Empty(_origin.Requests);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("4")]
    [InlineData("99")]
    public async Task A_length_that_is_not_that_of_the_body_ends_the_request(string length)
    {
        Assert.Contains(await _node.RawHttp2Async([.. Request("POST"), ("content-length", length)], Hidden), Refusals);

        Assert.Equal(0, _origin.Count("/smuggled"));
    }

    [Theory]
    [InlineData("GET", "accept", "*/*")]
    [InlineData("POST", "accept", "*/*")]
    [InlineData("POST", "transfer-encoding", "chunked")]
    [InlineData("POST", "transfer-encoding ", "chunked")]
    [InlineData("POST", "x\r\ntransfer-encoding", "chunked")]
    [InlineData("POST", "content-length:", "0")]
    public async Task A_request_in_a_body_stays_a_body(string method, string name, string value)
    {
        Assert.Equal("200", await _node.RawHttp2Async([.. Request(method), (name, value)], Hidden));

        var received = Assert.Single(_origin.Requests);
        Assert.Equal("/a", received.PathAndQuery);
        Assert.Equal("chunked", received.Headers["Transfer-Encoding"]);
        Assert.False(received.Headers.ContainsKey("Content-Length"));
    }

    [Theory]
    [InlineData("/a b", "/a%20b")]
    [InlineData("/a\tb", "/a%09b")]
    [InlineData("/a#b", "/a%23b")]
    [InlineData("/a?b c", "/a?b%20c")]
    [InlineData("//b.example/a", "//b.example/a")]
    public async Task A_path_with_what_ends_one_in_HTTP_1_is_written_encoded(string path, string written)
    {
        await _node.RawHttp2Async(Request().Select(field => field.Name == ":path" ? (":path", path) : field));

        Assert.Equal(written, Assert.Single(_origin.Requests).PathAndQuery);
    }

    private static (string Name, string Value)[] Request(string method = "GET") =>
        [(":method", method), (":scheme", "http"), (":authority", "shop.example"), (":path", "/a")];
}
