using System.Net;
using System.Net.WebSockets;
using System.Text;
using Gateway.ChangeLog;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.Tokens;

/// <summary>What becomes of connections that were opened with a token which is revoked later.</summary>
public sealed class OpenConnectionTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(3);

    private readonly TokenFixture _nodes = new();

    public async Task InitializeAsync()
    {
        await _nodes.InitializeAsync();
        _nodes.Origin.Map("/events", context => OpenStream.SendAsync(context));
        _nodes.Origin.Map("/lines", context => OpenStream.SendAsync(context, "application/x-ndjson"));
        _nodes.Origin.Map("/socket", EchoAsync);
    }

    public Task DisposeAsync() => _nodes.DisposeAsync();

    [Theory]
    [InlineData("token")]
    [InlineData("jti")]
    [InlineData("subject")]
    [InlineData("issuedBefore")]
    public async Task A_revocation_on_one_node_closes_WebSockets_and_streams_on_the_other(string by)
    {
        var issued = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 10;
        var token = _nodes.Issuer.Issue(change: [("jti", "one"), ("iat", issued)]);
        var ofBob = _nodes.Issuer.Issue("bob");
        using var socket = await OpenSocketAsync(_nodes.B, token);
        using var bobsSocket = await OpenSocketAsync(_nodes.B, ofBob);
        using var events = await OpenAsync(_nodes.B, "/events", token);
        using var lines = await OpenAsync(_nodes.B, "/lines", token);
        using var bobsEvents = await OpenAsync(_nodes.B, "/events", ofBob);

        using var answer = await _nodes.A.RevokeAsync(by switch
        {
            "token" => new { token },
            "jti" => new { jti = "one" },
            "subject" => new { scheme = "shop", subject = "alice" },
            _ => (object)new { issuedBefore = DateTimeOffset.FromUnixTimeSeconds(issued + 5) },
        });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[10], CancellationToken.None).WaitAsync(Soon));
        await events.AssertCutAsync(Soon);
        await lines.AssertCutAsync(Soon);
        Assert.Equal("hello", await AskAsync(bobsSocket, "hello"));
        Assert.False(bobsEvents.ReadOnAsync().IsCompleted);
        await Eventually.TrueAsync(() => OpenOn(_nodes.B) == 2, "only what was not revoked is open");
        Assert.Empty(_nodes.B.Log.Exceptions);
    }

    [Fact]
    public async Task A_response_that_begins_after_the_revocation_of_its_token_is_cut()
    {
        var (arrived, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _nodes.Origin.Map("/late", async context =>
        {
            arrived.SetResult();
            await go.Task;
            await OpenStream.SendAsync(context);
        });
        var token = _nodes.Issuer.Issue();
        var response = _nodes.B.GetAsync("/late", token);
        await arrived.Task;
        using var answer = await _nodes.A.RevokeAsync(new { token }, wait: true);

        go.SetResult();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.WaitAsync(Soon));
        await Eventually.TrueAsync(() => OpenOn(_nodes.B) == 0, "nothing is left");
    }

    [Fact]
    public async Task Only_what_goes_on_is_kept_and_nothing_of_it_stays()
    {
        var token = _nodes.Issuer.Issue();
        var socket = await OpenSocketAsync(_nodes.A, token);
        var events = await OpenAsync(_nodes.A, "/events", token);
        Assert.Equal(2, OpenOn(_nodes.A));
        for (var i = 0; i < 20; i++)
            Assert.Equal(200, await _nodes.A.StatusAsync(token));
        Assert.Equal(2, OpenOn(_nodes.A));

        events.Dispose();
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        socket.Dispose();

        await Eventually.TrueAsync(() => OpenOn(_nodes.A) == 0, "nothing is left");
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(true, 0.5)]
    [InlineData(false, 0)]
    public async Task A_connection_outlives_its_token_unless_the_scheme_says_otherwise(bool closes, double fraction)
    {
        await using var node = await TokenNode.StartAsync(_nodes.Origin, _nodes.Issuer, _nodes.Redis, scheme =>
        {
            scheme["CloseAtExpiry"] = closes;
            scheme["ClockSkew"] = "00:00:00";
        });
        var token = _nodes.Issuer.Issue(change: ("exp", TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 4 + fraction));
        using var socket = await OpenSocketAsync(node, token);
        await Eventually.TrueAsync(async () => await node.StatusAsync(token) == 401, "the token expires");

        if (closes)
            await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[10], CancellationToken.None).WaitAsync(Soon));
        else
            Assert.Equal("hello", await AskAsync(socket, "hello"));
    }

    [Fact]
    public async Task A_stream_more_than_can_be_watched_is_cut_and_the_others_go_on()
    {
        await using var node = await TokenNode.StartAsync(_nodes.Origin, _nodes.Issuer, _nodes.Redis, configure: builder => builder.Services.AddSingleton(
            provider => ActivatorUtilities.CreateInstance<OpenRequests>(provider, 2)));
        _nodes.Origin.Map("/short", context =>
        {
            context.Response.ContentLength = 2;
            return context.Response.WriteAsync("ok");
        });
        var token = _nodes.Issuer.Issue();
        using var socket = await OpenSocketAsync(node, token);
        var events = await OpenAsync(node, "/events", token);

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => OpenAsync(node, "/lines", token).WaitAsync(Soon));
        await Assert.ThrowsAsync<WebSocketException>(() => OpenSocketAsync(node, token).WaitAsync(Soon));

        Assert.Equal(2, OpenOn(node));
        Assert.Equal(200, await node.StatusAsync(token, "/short"));
        Assert.Equal("hello", await AskAsync(socket, "hello"));
        Assert.False(events.ReadOnAsync().IsCompleted);
        events.Dispose();
        await Eventually.TrueAsync(() => OpenOn(node) == 1, "there is room again");
        using var lines = await OpenAsync(node, "/lines", token);
        Assert.Empty(node.Log.Exceptions);
    }

    private static int OpenOn(GatewayNode node) => node.Services.GetRequiredService<OpenRequests>().Count;

    private static async Task<ClientWebSocket> OpenSocketAsync(GatewayNode node, string token)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        await socket.ConnectAsync(new UriBuilder(node.PublicAddress) { Scheme = "ws", Path = "/socket" }.Uri, CancellationToken.None);
        Assert.Equal("open", await AskAsync(socket, "open"));
        return socket;
    }

    private static async Task<string> AskAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static Task<HttpResponseMessage> OpenAsync(GatewayNode node, string path, string token) => node.OpenAsync(path, "Authorization", "Bearer " + token);

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        try
        {
            while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } received)
                await socket.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The gateway cut it.
        }
    }
}
