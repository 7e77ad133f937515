using Gateway.ChangeLog;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.ChangeLog;

public sealed class OpenRequestsTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _provider = new ServiceCollection().AddMetrics().AddSingleton<OpenRequestsMetrics>().BuildServiceProvider();

    public void Dispose() => _provider.Dispose();

    [Fact]
    public async Task A_grant_that_cannot_be_judged_keeps_no_other_request_open()
    {
        using var open = NewOpenRequests();
        var withdrawn = new List<StreamingResponse>();
        for (var i = 0; i < 20; i++)
        {
            await StreamingResponse.BeginAsync(open, new Grant(() => throw new InvalidOperationException("It cannot be judged.")));
            withdrawn.Add(await StreamingResponse.BeginAsync(open, new Grant(() => Task.FromResult(true))));
        }

        await CheckAsync(open, () => Task.WhenAll(withdrawn.Select(response => response.Aborted)));
    }

    [Fact]
    public async Task Grants_that_wait_for_Redis_do_not_wait_for_each_other()
    {
        using var open = NewOpenRequests();
        var bothAsked = new TaskCompletionSource();
        var asked = 0;
        var responses = new List<StreamingResponse>();
        for (var i = 0; i < 2; i++)
        {
            responses.Add(await StreamingResponse.BeginAsync(open, new Grant(async () =>
            {
                if (Interlocked.Increment(ref asked) == 2)
                    bothAsked.SetResult();
                await bothAsked.Task;
                return true;
            })));
        }

        await CheckAsync(open, () => Task.WhenAll(responses.Select(response => response.Aborted)));
    }

    private OpenRequests NewOpenRequests() =>
        new(_provider.GetRequiredService<OpenRequestsMetrics>(), _time, NullLogger<OpenRequests>.Instance);

    private async Task CheckAsync(OpenRequests open, Func<Task> isDone)
    {
        // Past the time in which responses may end by themselves.
        _time.Advance(TimeSpan.FromSeconds(1));
        await open.StartAsync(CancellationToken.None);
        open.Recheck();
        await isDone().WaitAsync(Soon);
        await open.StopAsync(CancellationToken.None);
    }

    private sealed class Grant(Func<Task<bool>> judge) : RequestGrant
    {
        public override async ValueTask<bool> IsWithdrawnAsync(CancellationToken cancellationToken) => await judge();
    }

    /// <summary>A response without a length that has begun.</summary>
    private sealed class StreamingResponse : HttpResponseFeature, IHttpRequestLifetimeFeature
    {
        private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Func<Task> _start = () => Task.CompletedTask;

        public Task Aborted => _aborted.Task;

        public CancellationToken RequestAborted { get; set; }

        public static async Task<StreamingResponse> BeginAsync(OpenRequests open, RequestGrant grant)
        {
            var response = new StreamingResponse();
            var context = new DefaultHttpContext();
            context.Features.Set<IHttpResponseFeature>(response);
            context.Features.Set<IHttpRequestLifetimeFeature>(response);
            open.Watch(context, grant);
            await response._start();
            return response;
        }

        public void Abort() => _aborted.TrySetResult();

        public override void OnStarting(Func<object, Task> callback, object state) => _start = () => callback(state);
    }
}
