using Gateway.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Semantics;

public sealed class StaleWindowsTests
{
    [Theory]
    [InlineData("max-age=60", 3L)]
    [InlineData("max-age=60, stale-while-revalidate=10", 10L)]
    [InlineData("max-age=60, stale-while-revalidate=10, stale-if-error=20", 20L)]
    [InlineData("max-age=60, must-revalidate, stale-if-error=20", 0L)]
    [InlineData("s-maxage=60", 0L)]
    public void A_response_is_of_use_for_the_longest_window(string cacheControl, long expected) =>
        Assert.Equal(expected, new StaleWindows(1, 2, 3).Longest(CacheControl.Parse(cacheControl)));
}
