using Gateway.ChangeLog;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.ChangeLog;

public sealed class SynchronizationLoopTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly List<Exception> _reported = [];

    [Fact]
    public async Task Hints_given_while_nobody_waits_are_one_hint()
    {
        var loop = NewLoop();
        loop.Hint();
        loop.Hint();

        Assert.True(await loop.WaitAsync(Interval, CancellationToken.None));
        var second = loop.WaitAsync(Interval, CancellationToken.None);
        Assert.False(second.IsCompleted);

        _time.Advance(Interval);
        Assert.False(await second);
    }

    [Fact]
    public async Task It_synchronizes_on_a_hint_and_after_an_interval_and_outlives_failures()
    {
        var loop = NewLoop();
        using var stopping = new CancellationTokenSource();
        using var synchronized = new SemaphoreSlim(0);
        var running = loop.RunAsync(
            _ =>
            {
                synchronized.Release();
                throw new InvalidOperationException("It fails each time.");
            },
            Interval,
            stopping.Token);

        loop.Hint();
        await synchronized.WaitAsync();
        await SynchronizedByTimeAsync(synchronized);
        await stopping.CancelAsync();
        await running;

        Assert.All(_reported, exception => Assert.IsType<InvalidOperationException>(exception));
        Assert.True(_reported.Count >= 2);
    }

    [Fact]
    public async Task The_end_of_the_node_is_no_failure()
    {
        using var stopping = new CancellationTokenSource();
        await stopping.CancelAsync();

        Assert.False(await NewLoop().TryAsync(token => Task.FromCanceled(token), stopping.Token));
        Assert.Empty(_reported);
    }

    // The loop begins to wait some time after it synchronized: the clock goes on until it has.
    private async Task SynchronizedByTimeAsync(SemaphoreSlim synchronized)
    {
        for (var i = 0; i < 1000 && !await synchronized.WaitAsync(TimeSpan.FromMilliseconds(10)); i++)
            _time.Advance(Interval);
    }

    private SynchronizationLoop NewLoop() => new(_time, _reported.Add);
}
