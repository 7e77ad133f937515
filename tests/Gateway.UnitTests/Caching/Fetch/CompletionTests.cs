using Gateway.Caching.Fetch;

namespace Gateway.UnitTests.Caching.Fetch;

public sealed class CompletionTests
{
    private Completion<int> _completion;

    [Fact]
    public async Task The_first_result_counts_for_those_who_came_before_it()
    {
        var waiting = _completion.Task;
        Assert.False(waiting.IsCompleted);

        Assert.True(_completion.TrySet(1));
        Assert.False(_completion.TrySet(2));

        Assert.Equal(1, await waiting);
        Assert.Equal(1, await _completion.Task);
    }

    [Fact]
    public async Task The_first_result_counts_for_those_who_come_after_it()
    {
        Assert.True(_completion.TrySet(1));
        Assert.False(_completion.TrySet(2));

        Assert.Equal(1, await _completion.Task);
    }

    [Fact]
    public async Task Nobody_misses_a_result_that_comes_at_the_same_time()
    {
        for (var i = 0; i < 20_000; i++)
        {
            var holder = new Holder();
            using var both = new Barrier(2);
            var setting = Task.Run(() =>
            {
                both.SignalAndWait();
                return holder.Completion.TrySet(i);
            });
            both.SignalAndWait();
            Assert.Equal(i, await holder.Completion.Task);
            Assert.True(await setting);
        }
    }

    private sealed class Holder
    {
        public Completion<int> Completion;
    }
}
