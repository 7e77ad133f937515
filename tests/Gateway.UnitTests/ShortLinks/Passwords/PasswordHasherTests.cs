using Gateway.ShortLinks.Passwords;

namespace Gateway.UnitTests.ShortLinks.Passwords;

public sealed class PasswordHasherTests
{
    [Fact]
    public async Task Passwords_beyond_those_that_may_wait_get_no_answer_and_room_returns()
    {
        using var hasher = new PasswordHasher();
        using var ending = new CancellationTokenSource();
        var tasks = Enumerable.Range(0, 100).Select(_ => hasher.TryHashAsync("open sesame", ending.Token).AsTask()).ToList();

        // At once, without a wait for those before them.
        var refused = tasks.Where(task => task.IsCompletedSuccessfully).ToList();
        Assert.InRange(refused.Count, 100 - 32 - Environment.ProcessorCount, 100 - 32);
        Assert.All(await Task.WhenAll(refused), Assert.Null);

        await ending.CancelAsync();
        await Task.WhenAll(tasks.Select(task => task.ContinueWith(_ => { }, TaskScheduler.Default)));
        var hash = await hasher.TryHashAsync("open sesame", default);
        Assert.True(await hasher.TryVerifyAsync("open sesame", hash!, default));
        Assert.False(await hasher.TryVerifyAsync("open sesames", hash!, default));
    }

    [Fact]
    public async Task A_turn_is_waited_for_until_another_ends()
    {
        using var hasher = new PasswordHasher();
        var slots = new List<PasswordHasher.Slot>();
        for (var i = 0; i < Math.Max(1, Environment.ProcessorCount / 2); i++)
            slots.Add((await hasher.TryEnterAsync(default))!);

        var next = hasher.TryEnterAsync(default).AsTask();
        Assert.False(next.IsCompleted);
        slots[0].Dispose();

        using var entered = await next;
        Assert.NotNull(entered);
        foreach (var slot in slots.Skip(1))
            slot.Dispose();
    }
}
