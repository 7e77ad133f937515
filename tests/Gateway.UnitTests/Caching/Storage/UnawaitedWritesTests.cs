using Gateway.Caching.Storage;

namespace Gateway.UnitTests.Caching.Storage;

public sealed class UnawaitedWritesTests
{
    private readonly UnawaitedWrites _writes = new();

    [Fact]
    public async Task Nobody_waits_for_a_write_until_too_many_are_under_way()
    {
        var acknowledged = new TaskCompletionSource<bool>();
        for (var i = 0; i < UnawaitedWrites.Max; i++)
            Assert.True(_writes.Add(new ValueTask<bool>(acknowledged.Task)).IsCompletedSuccessfully);

        var last = _writes.Add(new ValueTask<bool>(acknowledged.Task));
        Assert.False(last.IsCompleted);
        acknowledged.SetResult(true);

        await last;
        Assert.Equal(0, _writes.Count);
    }

    [Fact]
    public void A_write_that_failed_leaves_its_place()
    {
        var failing = new TaskCompletionSource<bool>();
        var added = _writes.Add(new ValueTask<bool>(failing.Task));
        failing.SetException(new InvalidOperationException());

        Assert.True(added.IsCompletedSuccessfully);
        Assert.Equal(0, _writes.Count);
    }
}
