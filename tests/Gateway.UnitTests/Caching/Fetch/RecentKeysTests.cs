using System.Globalization;
using Gateway.Caching.Fetch;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.UnitTests.Caching.Fetch;

public sealed class RecentKeysTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_key_is_forgotten_after_ten_seconds_or_when_it_is_learned_otherwise()
    {
        var keys = new RecentKeys(_time);
        keys.Add("a");
        keys.Add("b");
        keys.Remove("b");

        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(keys.Contains("a"));
        Assert.False(keys.Contains("b"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(keys.Contains("a"));
    }

    [Fact]
    public void There_are_never_more_than_the_bound_and_the_latest_is_known()
    {
        var keys = new RecentKeys(_time);
        for (var i = 0; i < 3 * RecentKeys.MaxKeys; i++)
        {
            var key = i.ToString(CultureInfo.InvariantCulture);
            keys.Add(key);
            Assert.True(keys.Contains(key));
            Assert.InRange(keys.Count, 1, RecentKeys.MaxKeys);
        }
    }

    [Fact]
    public void Those_that_ran_out_make_room_first()
    {
        var keys = new RecentKeys(_time);
        for (var i = 0; i < RecentKeys.MaxKeys - 1; i++)
            keys.Add(i.ToString(CultureInfo.InvariantCulture));
        _time.Advance(TimeSpan.FromSeconds(11));
        keys.Add("kept");
        keys.Add("new");

        Assert.True(keys.Contains("kept"));
        Assert.Equal(2, keys.Count);
    }
}
