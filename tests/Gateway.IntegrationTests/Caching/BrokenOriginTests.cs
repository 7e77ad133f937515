using System.Net;
using Gateway.IntegrationTests.Infrastructure;

namespace Gateway.IntegrationTests.Caching;

/// <summary>Answers of an origin that are not what they say they are, octet by octet. RFC 9112 §6, §7, §8; RFC 9111 §3.3.</summary>
public sealed class BrokenOriginTests : IAsyncLifetime
{
    private const string Fresh = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n";

    private RawOrigin _origin = null!;
    private GatewayNode _node = null!;

    public async Task InitializeAsync()
    {
        _origin = RawOrigin.Start();
        _node = await GatewayNode.StartAsync(new { ReverseProxy = _origin.ProxySection() });
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _origin.DisposeAsync();
    }

    [Theory]
    [InlineData("Content-Length: 10\r\n\r\nhalf")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4\r\nhalfXX0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhalf")]
    [InlineData("Content-Length: 4\r\nContent-Length: 5\r\n\r\nhalf")]
    [InlineData("Content-Length: -1\r\n\r\nhalf")]
    [InlineData("Bad Name: x\r\nContent-Length: 10\r\n\r\nhalf")]
    public async Task What_ends_early_or_is_framed_badly_is_neither_stored_nor_passed_off_as_whole(string rest)
    {
        _origin.Answer = _ => Fresh + rest;
        var broken = await _node.RawGetAsync("/x");
        Assert.False(broken.StartsWith("HTTP/1.1 200", StringComparison.Ordinal) && IsWhole(broken), broken);

        _origin.Answer = _ => Fresh + "Content-Length: 5\r\n\r\nwhole";
        for (var i = 0; i < 2; i++)
            Assert.Equal("whole", await (await _node.GetAsync("/x")).TextAsync());
    }

    [Fact]
    public async Task A_body_that_breaks_off_while_a_stale_response_is_validated_leaves_the_stored_one_in_place()
    {
        _origin.Answer = _ => Fresh + "Age: 70\r\nETag: \"1\"\r\nContent-Length: 3\r\n\r\nold";
        await _node.GetAsync("/x");
        _origin.Answer = _ => Fresh + "ETag: \"2\"\r\nContent-Length: 10\r\n\r\nhalf";
        await Assert.ThrowsAnyAsync<HttpRequestException>(async () => await (await _node.GetAsync("/x")).TextAsync());

        _origin.Answer = head => head.Contains("If-None-Match: \"1\"", StringComparison.Ordinal) ? "HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n" : Fresh + "Content-Length: 5\r\n\r\nwrong";
        Assert.Equal("old", await (await _node.GetAsync("/x")).TextAsync());
    }

    [Fact]
    public async Task Interim_responses_are_not_taken_for_the_final_one()
    {
        _origin.Answer = _ => "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nCache-Control: max-age=600\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + Fresh + "Content-Length: 4\r\n\r\nbody";

        for (var i = 0; i < 2; i++)
        {
            var answer = await _node.GetAsync("/x");
            Assert.Equal((HttpStatusCode.OK, "body"), (answer.StatusCode, await answer.TextAsync()));
            Assert.False(answer.Headers.Contains("Link"));
            Assert.Equal(TimeSpan.FromSeconds(60), answer.Headers.CacheControl!.MaxAge);
        }

        Assert.Equal(1, _origin.Requests);
    }

    [Fact]
    public async Task Fields_of_the_framing_and_trailers_are_not_stored()
    {
        _origin.Answer = _ => Fresh
            + "Transfer-Encoding: chunked\r\nTrailer: X-Trailer\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n\r\n"
            + "4;ext=\"a\"\r\nbody\r\n0\r\nX-Trailer: late\r\n\r\n";
        await _node.GetAsync("/x");

        var hit = await _node.RawGetAsync("/x");

        Assert.Contains("\r\nCache-Status: Gateway; hit", hit, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Length: 4\r\n", hit, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nbody", hit, StringComparison.Ordinal);
        foreach (var name in new[] { "Transfer-Encoding", "Trailer", "X-Trailer", "X-Hop", "Keep-Alive", "Proxy-Authenticate" })
            Assert.DoesNotContain($"\r\n{name}:", hit, StringComparison.OrdinalIgnoreCase);
    }

    // As a client tells: all that Content-Length announces, or the last chunk.
    private static bool IsWhole(string response)
    {
        var (head, body) = response.Split("\r\n\r\n", 2) is [var one, var two] ? (one, two) : (response, "");
        if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            return body.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        return head.Contains($"Content-Length: {body.Length}", StringComparison.OrdinalIgnoreCase);
    }
}
