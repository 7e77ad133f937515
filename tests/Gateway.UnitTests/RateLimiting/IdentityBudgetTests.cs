using Gateway.RateLimiting;
using Gateway.UnitTests.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.RateLimiting;

public sealed class IdentityBudgetTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void An_address_has_so_many_new_identities_a_minute_and_known_ones_go_on()
    {
        var budget = NewBudget(2);

        Assert.True(budget.Admits("net", "a"));
        Assert.True(budget.Admits("net", "b"));
        Assert.False(budget.Admits("net", "c"));
        Assert.True(budget.Admits("net", "a"));
        Assert.True(budget.Admits("other", "c"));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(budget.Admits("net", "d"));
    }

    [Fact]
    public void An_identity_that_another_address_showed_is_known()
    {
        var budget = NewBudget(1);

        Assert.True(budget.Admits("net", "a"));
        Assert.True(budget.Admits("other", "a"));
        Assert.True(budget.Admits("other", "b"));
        Assert.False(budget.Admits("other", "c"));
    }

    [Fact]
    public void Identities_of_the_last_generation_are_known_still_and_older_ones_are_not()
    {
        const int Generation = 50_000;
        var budget = NewBudget((2 * Generation) + 1);
        for (var i = 0; i < Generation; i++)
            Assert.True(budget.Admits("net", $"first-{i}"));
        Assert.True(budget.Admits("other", "first-0"));
        for (var i = 1; i < Generation; i++)
            Assert.True(budget.Admits("net", $"second-{i}"));

        Assert.True(budget.Admits("net", "first-0"));
        Assert.True(budget.Admits("net", "one more"));
        Assert.True(budget.Admits("net", "the last"));
        Assert.False(budget.Admits("net", "first-1"));
    }

    private IdentityBudget NewBudget(int perMinute) =>
        new(new FixedOptions<RateLimitingOptions>(new RateLimitingOptions { NewIdentitiesPerMinute = perMinute }), _time);
}
