using System.Net;
using System.Runtime.InteropServices;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace Gateway.IntegrationTests.Hosting;

public sealed partial class DrainTests
{
    private const int SigTerm = 15;

    [Fact]
    public async Task SIGTERM_takes_readiness_away_serves_on_and_fails_no_running_request()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var origin = (await TestOrigin.StartAsync()).Map("/fast", "fast").Map("/slow", async context =>
        {
            arrived.SetResult();
            await release.Task;
            await context.Response.WriteAsync("slow");
        });
        var (publicPort, adminPort) = (FreePort.Next(), FreePort.Next());
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, System.Text.Json.JsonSerializer.Serialize(new { ReverseProxy = origin.ProxySection() }));
        await using var redis = await RedisServer.StartAsync();
        using var process = GatewayProcess.Start(
            "--urls", $"http://127.0.0.1:{publicPort}", $"--Admin:Urls=http://127.0.0.1:{adminPort}",
            "--config", config, "--Hosting:DrainSeconds=2", $"--Redis:Configuration={redis.ConnectionString}");
        _ = process.StandardOutput.ReadToEndAsync();
        using var client = GatewayNode.CreateClient(new Uri($"http://127.0.0.1:{publicPort}"));
        using var admin = GatewayNode.CreateClient(new Uri($"http://127.0.0.1:{adminPort}"));
        await Eventually.TrueAsync(() => IsAsync(client, "/readyz", HttpStatusCode.OK), "the gateway is ready", TimeSpan.FromSeconds(30));

        var slow = client.GetStringAsync("/slow");
        await arrived.Task;
        Assert.Equal(0, Kill(process.Id, SigTerm));
        await Eventually.TrueAsync(() => IsAsync(client, "/readyz", HttpStatusCode.ServiceUnavailable), "the gateway is not ready any more");

        Assert.True(await IsAsync(admin, "/healthz", HttpStatusCode.OK));
        using (var fast = await client.GetAsync("/fast"))
        {
            Assert.Equal(HttpStatusCode.OK, fast.StatusCode);
            Assert.True(fast.Headers.ConnectionClose);
        }

        await Eventually.TrueAsync(() => IsRefusedAsync(publicPort), "the listener is closed");
        Assert.False(slow.IsCompleted);
        release.SetResult();

        Assert.Equal("slow", await slow);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        File.Delete(config);
    }

    [Fact]
    public async Task Health_answers_on_both_listeners_and_only_a_route_of_exactly_that_path_wins()
    {
        await using var origin = (await TestOrigin.StartAsync()).Map("/healthz", "the origin's");
        await using var node = await GatewayNode.StartAsync();
        Assert.Equal("alive", await node.Public.GetStringAsync("/healthz"));
        Assert.Equal("alive", await node.Admin.GetStringAsync("/healthz"));
        Assert.Contains("\"ready\"", await node.Public.GetStringAsync("/readyz"), StringComparison.Ordinal);

        await node.ReloadAsync(new { ReverseProxy = origin.ProxySection() });
        Assert.Equal("alive", await node.Public.GetStringAsync("/healthz"));

        await node.ReloadAsync(new { ReverseProxy = origin.ProxySection(("Match", new { Path = "/healthz" })) });
        Assert.Equal("the origin's", await node.Public.GetStringAsync("/healthz"));
        Assert.Equal("alive", await node.Admin.GetStringAsync("/healthz"));
    }

    [Fact]
    public async Task Public_health_can_be_switched_off()
    {
        await using var node = await GatewayNode.StartAsync(new { Hosting = new { PublicHealth = false } });

        Assert.True(await IsAsync(node.Public, "/readyz", HttpStatusCode.NotFound));
        Assert.True(await IsAsync(node.Admin, "/readyz", HttpStatusCode.OK));
    }

    [Fact]
    public async Task A_lost_Redis_is_reported_and_does_not_take_the_node_out()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await GatewayNode.StartAsync(redis: redis.ConnectionString);
        await redis.KillAsync();

        await Eventually.TrueAsync(
            async () => (await node.Admin.GetStringAsync("/readyz")).Contains("\"unavailable\"", StringComparison.Ordinal), "the loss is reported");
        Assert.True(await IsAsync(node.Public, "/readyz", HttpStatusCode.OK));
    }

    private static async Task<bool> IsAsync(HttpClient client, string path, HttpStatusCode status)
    {
        try
        {
            using var response = await client.GetAsync(path);
            return response.StatusCode == status;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<bool> IsRefusedAsync(int port)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return false;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return true;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
