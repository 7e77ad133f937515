using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Hosting;

/// <summary>What an origin answers that is no answer, on a route with a cache and on one without.</summary>
public sealed class ResponseGuardTests : IAsyncLifetime
{
    private RawOrigin _origin = null!;
    private GatewayNode _node = null!;

    public async Task InitializeAsync()
    {
        _origin = RawOrigin.Start();
        _node = await GatewayNode.StartAsync(new
        {
            ReverseProxy = new
            {
                Routes = new
                {
                    cached = new { ClusterId = "origin", Match = new { Path = "/cached/{**path}" }, OutputCachePolicy = "origin" },
                    passed = new { ClusterId = "origin", Match = new { Path = "/passed/{**path}" } },
                },
                Clusters = new { origin = new { Destinations = new { one = new { _origin.Address } } } },
            },
        });
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Theory]
    // RFC 9112 §4: the gateway would write it with two digits.
    [InlineData("099 Low", "")]
    // RFC 9110 §15.2.2: nobody asked for it.
    [InlineData("101 Switching Protocols", "Connection: Upgrade\r\nUpgrade: websocket\r\n")]
    // RFC 9112 §6.1: nobody takes the coding off.
    [InlineData("200 OK", "Transfer-Encoding: gzip\r\n")]
    [InlineData("200 OK", "Transfer-Encoding: Deflate\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("200 OK", "Transfer-Encoding: chunked, gzip\r\n")]
    public async Task What_no_client_could_read_is_a_bad_gateway_and_is_not_stored(string status, string fields)
    {
        _origin.Answer = _ => $"HTTP/1.1 {status}\r\nCache-Control: max-age=60\r\nX-Origin: 1\r\n{fields}\r\nhi";

        foreach (var target in new[] { "/cached/x", "/cached/x", "/passed/x" })
        {
            var response = await _node.RawGetAsync(target);

            Assert.StartsWith("HTTP/1.1 502", response, StringComparison.Ordinal);
            Assert.Contains("application/problem+json", response, StringComparison.Ordinal);
            Assert.DoesNotContain("X-Origin", response, StringComparison.Ordinal);
            Assert.DoesNotContain("max-age", response, StringComparison.Ordinal);
        }

        Assert.Equal(3, _origin.Requests);
        Assert.Empty(_node.Log.Exceptions);
    }

    [Theory]
    [InlineData(600)]
    [InlineData(999)]
    public async Task A_status_that_is_none_is_passed_on_and_not_stored(int status)
    {
        _origin.Answer = _ => $"HTTP/1.1 {status} High\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nhi";

        for (var i = 0; i < 2; i++)
            Assert.StartsWith($"HTTP/1.1 {status}", await _node.RawGetAsync("/cached/x"), StringComparison.Ordinal);

        Assert.Equal(2, _origin.Requests);
    }

    [Theory]
    // RFC 9110 §8.6, §15.3.6.
    [InlineData("204 No Content", "Content-Length: 5\r\n\r\n")]
    [InlineData("204 No Content", "Content-Length: 5\r\n\r\nhello")]
    [InlineData("205 Reset Content", "Content-Length: 5\r\n\r\nhello")]
    [InlineData("205 Reset Content", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("205 Reset Content", "Content-Length: 0\r\n\r\n")]
    public async Task A_response_without_content_announces_none(string status, string rest)
    {
        _origin.Answer = _ => $"HTTP/1.1 {status}\r\nCache-Control: max-age=60\r\n{rest}";

        foreach (var target in new[] { "/cached/x", "/cached/x", "/passed/x" })
        {
            var response = await _node.RawGetAsync(target);

            Assert.StartsWith($"HTTP/1.1 {status}", response, StringComparison.Ordinal);
            Assert.DoesNotContain("hello", response, StringComparison.Ordinal);
            Assert.DoesNotContain("Content-Length: 5", response, StringComparison.Ordinal);
        }

        Assert.Empty(_node.Log.Exceptions);
    }
}
