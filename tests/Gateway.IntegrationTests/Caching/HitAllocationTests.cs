using System.IO.Pipelines;
using Gateway.Caching;
using Gateway.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.OutputCaching;

namespace Gateway.IntegrationTests.Caching;

/// <summary>What a memory hit allocates, beside what the server and the test's own context do.</summary>
[Collection(RunsAlone.Name)]
public sealed class HitAllocationTests
{
    // Measured: 240 bytes, the objects that carry the request through the cache. The bound leaves room for what the runtime
    // has not compiled in its best form yet.
    private const int MaxBytesPerHit = 384;

    private const int Hits = 10_000;
    private const int Rounds = 50;

    [Fact]
    public async Task A_memory_hit_allocates_little()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await GatewayNode.StartAsync(redis: redis.ConnectionString);
        var fetches = 0;
        var cached = Build(node, () => fetches++);
        var exchange = new ReusedExchange(node.Services);
        await exchange.SendAsync(cached);
        await Eventually.TrueAsync(
            async () =>
            {
                await exchange.SendAsync(cached);
                return exchange.CacheStatus.Contains("hit", StringComparison.Ordinal);
            },
            "the response is stored");
        var fetchesBefore = fetches;

        // What the test itself allocates per request: the pipeline in its place does nothing.
        var own = BytesPerRequest(exchange, _ => Task.CompletedTask);
        var bytes = BytesPerRequest(exchange, cached);

        Assert.Equal(fetchesBefore, fetches);
        Assert.Contains("hit", exchange.CacheStatus, StringComparison.Ordinal);
        Assert.Equal(0, own);
        Assert.True(bytes <= MaxBytesPerHit, $"A memory hit allocates {bytes} bytes, more than {MaxBytesPerHit}.");
    }

    private static RequestDelegate Build(GatewayNode node, Action onFetch)
    {
        var app = new ApplicationBuilder(node.Services);
        app.UseHttpCache();
        app.Run(context =>
        {
            onFetch();
            context.Response.Headers.CacheControl = "public, max-age=3600";
            context.Response.Headers.ETag = "\"1\"";
            context.Response.Headers.Vary = "Accept-Encoding";
            return context.Response.Body.WriteAsync(new byte[1024], 0, 1024);
        });
        return app.Build();
    }

    private static long BytesPerRequest(ReusedExchange exchange, RequestDelegate pipeline)
    {
        // The lowest of many rounds: the first ones run code that is not fully compiled yet.
        var lowest = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Hits; i++)
            {
                // A hit waits for nothing; if it did, its allocations on other threads would be missed.
                Assert.True(exchange.SendAsync(pipeline).IsCompletedSuccessfully);
            }

            lowest = Math.Min(lowest, (GC.GetAllocatedBytesForCurrentThread() - before) / Hits);
        }

        return lowest;
    }

    /// <summary>One request and its response, used again and again as Kestrel uses those of a connection.</summary>
    private sealed class ReusedExchange
    {
        private readonly DefaultHttpContext _context;

        public ReusedExchange(IServiceProvider services)
        {
            _context = new DefaultHttpContext { RequestServices = services };
            _context.Features.Set<IHttpResponseBodyFeature>(new DiscardedBody());
            _context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new OutputCacheAttribute { PolicyName = "origin" }), "hits"));
            var request = _context.Request;
            request.Method = "GET";
            request.Scheme = "http";
            request.Host = new HostString("shop.example");
            request.Path = "/catalog/1";
            request.Headers.AcceptEncoding = "gzip, br";
            request.Headers.UserAgent = "test";
        }

        public string CacheStatus => _context.Response.Headers["Cache-Status"].ToString();

        public Task SendAsync(RequestDelegate pipeline)
        {
            _context.Response.Headers.Clear();
            _context.Response.StatusCode = StatusCodes.Status200OK;
            return pipeline(_context);
        }
    }

    private sealed class DiscardedBody : PipeWriter, IHttpResponseBodyFeature
    {
        private readonly byte[] _buffer = new byte[16 << 10];

        public Stream Stream => Stream.Null;

        public PipeWriter Writer => this;

        public override void Advance(int bytes)
        {
        }

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer;

        public override Span<byte> GetSpan(int sizeHint = 0) => _buffer;

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task CompleteAsync() => Task.CompletedTask;
    }
}
