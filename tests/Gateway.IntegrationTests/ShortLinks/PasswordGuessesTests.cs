using Gateway.IntegrationTests.Infrastructure;
using Gateway.ShortLinks.Passwords;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.IntegrationTests.ShortLinks;

public sealed class PasswordGuessesTests : IAsyncLifetime
{
    private const ulong Client = 1;

    private RedisServer _redis = null!;
    private GatewayNode _node = null!;
    private PasswordGuesses _guesses = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _node = await LinkTestNode.StartAsync(_redis, new { Enabled = true, PasswordAttempts = 3 });
        _guesses = _node.Services.GetRequiredService<PasswordGuesses>();
        await _node.CreateAsync(new { slug = "oak", target = LinkTestNode.Target, password = "open sesame" });
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Wrong_ones_and_those_that_run_are_together_no_more_than_allowed()
    {
        for (var i = 0; i < 3; i++)
            Assert.Equal(GuessVerdict.Admitted, (await ChargeAsync(Client)).Verdict);

        // All may be right: then the next may be tried in a moment.
        var crowded = await ChargeAsync(Client);
        Assert.Equal((GuessVerdict.Crowded, TimeSpan.FromSeconds(1)), (crowded.Verdict, crowded.RetryAfter));
        Assert.Equal(GuessVerdict.Admitted, (await ChargeAsync(2)).Verdict);

        await _guesses.SettleAsync("oak", Client, isRight: false);
        await _guesses.SettleAsync("oak", Client, isRight: false);
        Assert.Equal(GuessVerdict.Crowded, (await ChargeAsync(Client)).Verdict);
        await _guesses.SettleAsync("oak", Client, isRight: true);
        Assert.Equal(GuessVerdict.Admitted, (await ChargeAsync(Client)).Verdict);
        await _guesses.SettleAsync("oak", Client, isRight: false);

        var refused = await ChargeAsync(Client);
        Assert.Equal(GuessVerdict.Refused, refused.Verdict);
        Assert.InRange(refused.RetryAfter.TotalMinutes, 14, 15);
        Assert.Equal(GuessVerdict.Admitted, (await ChargeAsync(2)).Verdict);
    }

    [Fact]
    public async Task All_clients_together_have_two_hundred_and_right_ones_leave_nothing()
    {
        for (var i = 0UL; i < 200; i++)
            Assert.Equal(GuessVerdict.Admitted, (await ChargeAsync(100 + i)).Verdict);

        Assert.Equal(GuessVerdict.Crowded, (await ChargeAsync(Client)).Verdict);
        await _guesses.SettleAsync("oak", 100, isRight: false);
        for (var i = 1UL; i < 200; i++)
            await _guesses.SettleAsync("oak", 100 + i, isRight: true);

        Assert.Equal(2, (long)await _redis.ExecuteAsync("HLEN", "gateway:link:{oak}:guesses"));
        Assert.Equal(1, (int)await _redis.ExecuteAsync("HGET", "gateway:link:{oak}:guesses", "all"));
    }

    [Fact]
    public async Task Asking_counts_nothing_and_what_ends_after_its_window_takes_nothing_back()
    {
        for (var i = 0; i < 5; i++)
            Assert.True((await _guesses.AskAsync("oak", Client, default)).TryGet(out var asked) && asked.Verdict == GuessVerdict.Admitted);

        await _guesses.SettleAsync("oak", Client, isRight: true);
        await _guesses.SettleAsync("oak", Client, isRight: false);

        Assert.Equal(0, (int)await _redis.ExecuteAsync("EXISTS", "gateway:link:{oak}:guesses"));
    }

    [Fact]
    public async Task Of_a_link_that_is_no_more_nothing_is_compared_and_nothing_kept()
    {
        await _node.Admin.DeleteAsync("/links/oak");

        Assert.Equal(GuessVerdict.NoLink, (await ChargeAsync(Client)).Verdict);
        Assert.Equal(0, (int)await _redis.ExecuteAsync("EXISTS", "gateway:link:{oak}:guesses"));
    }

    private async Task<GuessDecision> ChargeAsync(ulong client)
    {
        Assert.True((await _guesses.TryChargeAsync("oak", client)).TryGet(out var decision));
        return decision;
    }
}
