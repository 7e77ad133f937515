using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Hosting;

/// <summary>
/// The threads that wait for sockets serve requests themselves, and there are as many as cores: more hostile connections
/// than that must not keep them. In a process of its own, because the choice is a process's.
/// </summary>
[Collection(RunsAlone.Name)]
public sealed class EventLoopTests
{
    private const int MaxCuts = 3;

    private static readonly int Hostile = 3 * Environment.ProcessorCount;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly byte[] Chunk = new byte[64 * 1024];

    [Fact]
    public async Task Clients_that_send_requests_without_a_pause_keep_nobody_waiting()
    {
        var requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /cached HTTP/1.1\r\nHost: shop.example\r\n\r\n", 1000)));
        await ServesOthersAsync(async (client, cancellationToken) =>
        {
            while (true)
                await client.SendAsync(requests, cancellationToken);
        });
    }

    [Fact]
    public async Task Bodies_that_origins_send_without_an_end_keep_nobody_waiting() =>
        await ServesOthersAsync(async (client, cancellationToken) =>
            await client.SendAsync("GET /endless HTTP/1.1\r\nHost: shop.example\r\n\r\n"u8.ToArray(), cancellationToken));

    [Fact]
    public async Task Bodies_that_clients_send_without_an_end_keep_nobody_waiting() =>
        await ServesOthersAsync(async (client, cancellationToken) =>
        {
            await client.SendAsync("POST /sink HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 1000000000000\r\n\r\n"u8.ToArray(), cancellationToken);
            while (true)
                await client.SendAsync(Chunk, cancellationToken);
        });

    private static async Task ServesOthersAsync(Func<Socket, CancellationToken, Task> floodAsync)
    {
        await using var origin = (await TestOrigin.StartAsync())
            .Map("/cached", Cached)
            .Map("/endless", EndlessAsync)
            .Map("/sink", context => context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted));
        await using var redis = await RedisServer.StartAsync();
        var port = FreePort.Next();
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, JsonSerializer.Serialize(new { ReverseProxy = origin.ProxySection(("OutputCachePolicy", "origin"), ("MaxRequestBodySize", -1)) }));
        using var process = GatewayProcess.Start(
            "--urls", $"http://127.0.0.1:{port}", $"--Admin:Urls=http://127.0.0.1:{FreePort.Next()}", "--config", config,
            $"--Redis:Configuration={redis.ConnectionString}", "--Hosting:DrainSeconds=0");
        _ = process.StandardOutput.ReadToEndAsync();
        try
        {
            await ProbeAsync(port);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
            File.Delete(config);
        }

        async Task ProbeAsync(int port)
        {
            var address = new Uri($"http://127.0.0.1:{port}");
            using (var first = GatewayNode.CreateClient(address))
                await Eventually.TrueAsync(() => IsReadyAsync(first), "the gateway is ready", TimeSpan.FromSeconds(30));
            using var end = new CancellationTokenSource();
            var floods = Enumerable.Range(0, Hostile).Select(_ => Task.Run(() => KeepBusyAsync(port, floodAsync, end.Token))).ToArray();
            for (var i = 0; i < 30; i++)
            {
                // A connection of its own each time: it is served by any of the threads.
                using var client = GatewayNode.CreateClient(address);
                var started = Stopwatch.GetTimestamp();
                Assert.Equal("cached", await client.GetStringAsync("/cached").WaitAsync(TimeSpan.FromSeconds(30)));
                Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"Request {i} waited for {Stopwatch.GetElapsedTime(started)}.");
            }

            Assert.All(floods, flood => Assert.False(flood.IsCompleted, $"A hostile connection ended: {flood.Exception}"));
            await end.CancelAsync();
            await Task.WhenAll(floods);
        }
    }

    // On a busy machine a server may take a client for one that sends nothing, now and then.
    private static async Task KeepBusyAsync(int port, Func<Socket, CancellationToken, Task> floodAsync, CancellationToken cancellationToken)
    {
        for (var cuts = 0; !cancellationToken.IsCancellationRequested; cuts++)
        {
            using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                await Task.WhenAll(floodAsync(client, cancellationToken), ReadAsync(client, cancellationToken));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The test is over.
            }
            catch (SocketException) when (cuts < MaxCuts)
            {
                // Another connection takes its place.
            }
        }
    }

    private static async Task ReadAsync(Socket client, CancellationToken cancellationToken)
    {
        var buffer = new byte[256 * 1024];
        while (await client.ReceiveAsync(buffer, cancellationToken) > 0)
        {
        }

        throw new SocketException((int)SocketError.ConnectionReset);
    }

    private static Task Cached(HttpContext context)
    {
        context.Response.Headers.CacheControl = "max-age=600";
        return context.Response.WriteAsync("cached");
    }

    private static async Task EndlessAsync(HttpContext context)
    {
        while (!context.RequestAborted.IsCancellationRequested)
            await context.Response.Body.WriteAsync(Chunk, context.RequestAborted);
    }

    private static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            using var response = await client.GetAsync("/readyz");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
