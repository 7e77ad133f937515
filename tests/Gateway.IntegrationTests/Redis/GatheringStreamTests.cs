using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.IntegrationTests.Infrastructure;
using Gateway.Redis;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace Gateway.IntegrationTests.Redis;

public sealed class GatheringStreamTests : IAsyncLifetime, IDisposable
{
    private static readonly byte[] Ping = Encoding.ASCII.GetBytes("*1\r\n$4\r\nPING\r\n");
    private static readonly byte[] Pong = Encoding.ASCII.GetBytes("+PONG\r\n");

    private readonly FakeTimeProvider _time = new();
    private readonly byte[] _buffer = new byte[1024];
    private GatheringStream _stream = null!;
    private Socket _server = null!;

    public async Task InitializeAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint);
        _server = await listener.AcceptSocketAsync();
        _stream = new GatheringStream(socket, _time);
    }

    public Task DisposeAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _stream.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task A_command_is_sent_at_once_and_done_when_something_is_read()
    {
        var reading = _stream.ReadAsync(_buffer);
        var writing = _stream.WriteAsync(Ping).AsTask();
        Assert.Equal(Ping, await ReceiveAsync(Ping.Length));
        Assert.False(writing.IsCompleted);

        await _server.SendAsync(Pong);

        await writing;
        Assert.Equal(Pong.Length, await reading);
    }

    [Fact]
    public async Task Half_a_command_waits_for_no_answer_and_its_other_half_does()
    {
        var reading = _stream.ReadAsync(_buffer);
        await _stream.WriteAsync(Ping.AsMemory(0, 9));
        var writing = _stream.WriteAsync(Ping.AsMemory(9)).AsTask();
        Assert.Equal(Ping, await ReceiveAsync(Ping.Length));
        Assert.False(writing.IsCompleted);

        await _server.SendAsync(Pong);

        await writing;
        await reading;
    }

    [Fact]
    public async Task Who_does_not_read_waits_for_no_answer()
    {
        await _stream.WriteAsync(Ping);

        Assert.Equal(Ping, await ReceiveAsync(Ping.Length));
    }

    [Fact]
    public async Task A_connection_that_ends_lets_the_writer_go_on()
    {
        var reading = _stream.ReadAsync(_buffer);
        var writing = _stream.WriteAsync(Ping).AsTask();

        _server.Dispose();

        await Assert.ThrowsAnyAsync<Exception>(async () => Assert.NotEqual(0, await reading));
        await writing;
    }

    [Fact]
    public async Task Nothing_is_gathered_for_a_Redis_that_is_far_away_until_it_is_near()
    {
        Assert.True(await IsGatheredAsync(answersAfter: TimeSpan.FromMilliseconds(50)));
        Assert.False(await IsGatheredAsync(answersAfter: TimeSpan.FromMilliseconds(50)));
        Assert.False(await IsGatheredAsync(answersAfter: TimeSpan.FromMilliseconds(1)));
        Assert.True(await IsGatheredAsync(answersAfter: TimeSpan.FromMilliseconds(1)));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5_000_000)]
    public async Task Calls_of_all_sizes_at_once_are_all_answered(int size)
    {
        await using var redis = await RedisServer.StartAsync();
        var options = ConfigurationOptions.Parse(redis.ConnectionString);
        options.Tunnel = new GatheringTunnel(TimeProvider.System);
        // However long a busy machine takes for 100 MB.
        options.AsyncTimeout = 60_000;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
        var database = connection.GetDatabase();
        var value = new byte[size];

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            Assert.True(await database.StringSetAsync($"key-{i}", value));
            Assert.Equal(size, (await database.StringGetAsync($"key-{i}")).Length());
        }));
    }

    private async Task<bool> IsGatheredAsync(TimeSpan answersAfter)
    {
        var reading = _stream.ReadAsync(_buffer);
        var writing = _stream.WriteAsync(Ping).AsTask();
        var isGathered = !writing.IsCompleted;
        _time.Advance(answersAfter);
        await _server.SendAsync(Pong);
        await writing;
        await reading;
        return isGathered;
    }

    private async Task<byte[]> ReceiveAsync(int length)
    {
        var received = new byte[length];
        for (var count = 0; count < length;)
            count += await _server.ReceiveAsync(received.AsMemory(count));
        return received;
    }
}
