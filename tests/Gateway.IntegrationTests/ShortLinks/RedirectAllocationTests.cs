using Gateway.IntegrationTests.Infrastructure;
using Gateway.ShortLinks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.ShortLinks;

/// <summary>What a redirect from memory allocates, beside what the server and routing do.</summary>
public sealed class RedirectAllocationTests
{
    // Measured: 96 bytes, the text of ContentLength and what counts the visit. The rest is room for how far the runtime has compiled the code. It may only go down.
    private const int MaxBytesPerRedirect = 128;

    private const int Redirects = 10_000;
    private const int Rounds = 4;

    [Fact]
    public async Task A_redirect_from_memory_allocates_little()
    {
        await using var redis = await RedisServer.StartAsync();
        // Visits are written before and after, not meanwhile.
        await using var node = await LinkTestNode.StartAsync(redis, new { Enabled = true, FlushInterval = "00:01:00" });
        await node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target });
        await node.FollowAsync("oak");
        var handler = node.Services.GetRequiredService<ShortLinkHandler>();
        var context = new DefaultHttpContext { RequestServices = node.Services };
        context.Request.Method = "GET";
        context.Request.Host = new HostString("go.example");
        context.Request.RouteValues[ShortLinkHandler.SlugParameter] = "oak";
        context.Request.Headers.UserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

        var (bytes, followed, whole) = (long.MaxValue, 1, 0);
        // More than once: the first times compile. A round that has to ask Redis does not count: on a busy machine that may take a while.
        await Eventually.TrueAsync(
            async () =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                var (last, count) = (Task.CompletedTask, 0);
                for (; count < Redirects && last.IsCompletedSuccessfully; count++)
                {
                    context.Response.Headers.Clear();
                    last = handler.InvokeAsync(context);
                }

                if (count == Redirects && last.IsCompletedSuccessfully)
                    (bytes, whole) = ((GC.GetAllocatedBytesForCurrentThread() - before) / Redirects, whole + 1);
                followed += count;
                await last;
                return whole == Rounds;
            },
            "redirects come from memory");

        Assert.Equal(StatusCodes.Status302Found, context.Response.StatusCode);
        // None where the runtime has found that nothing of it outlives the call.
        Assert.True(bytes <= MaxBytesPerRedirect, $"A redirect allocates {bytes} bytes, at most {MaxBytesPerRedirect} are expected.");
        Assert.Equal(followed, await node.VisitsAsync("oak"));
    }
}
