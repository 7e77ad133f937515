using global::SampleBackend.Hosting;

namespace Gateway.IntegrationTests.SampleBackend;

public sealed class BoundedMapTests
{
    [Fact]
    public void Over_its_capacity_the_oldest_entry_is_forgotten()
    {
        var map = new BoundedMap<string>(capacity: 2);
        map.GetOrAdd("a", () => "1");
        map.GetOrAdd("b", () => "2");
        Assert.Equal("1", map.GetOrAdd("a", () => "other"));

        map.GetOrAdd("c", () => "3");

        Assert.Null(map.Find("a"));
        Assert.Equal("2", map.Find("b"));
        Assert.Equal("3", map.Find("c"));
    }

    [Fact]
    public void A_removed_entry_makes_room()
    {
        var map = new BoundedMap<string>(capacity: 2);
        map.GetOrAdd("a", () => "1");
        map.GetOrAdd("b", () => "2");

        Assert.Equal("2", map.Remove("b"));
        Assert.Null(map.Remove("b"));
        map.GetOrAdd("c", () => "3");

        Assert.Equal("1", map.Find("a"));
        Assert.Equal("3", map.Find("c"));
    }
}
