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

    private IdentityBudget NewBudget(int perMinute) =>
        new(new FixedOptions<RateLimitingOptions>(new RateLimitingOptions { NewIdentitiesPerMinute = perMinute }), _time);
}
