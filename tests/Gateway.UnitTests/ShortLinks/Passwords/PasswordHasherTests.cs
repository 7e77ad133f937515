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
}
