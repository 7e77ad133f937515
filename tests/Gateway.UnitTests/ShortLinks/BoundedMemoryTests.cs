using Gateway.ShortLinks;

namespace Gateway.UnitTests.ShortLinks;

public sealed class BoundedMemoryTests
{
    [Fact]
    public void What_is_used_stays_and_what_is_not_goes()
    {
        var memory = new BoundedMemory<string, string>(100);
        memory.Set("hot", "hot", 1);
        memory.Set("cold", "cold", 1);
        for (var i = 0; i < 1000; i++)
        {
            memory.Set($"{i}", "scan", 1);
            Assert.Equal("hot", memory.Get("hot"));
            Assert.InRange(memory.Count, 1, 100);
        }

        Assert.Null(memory.Get("cold"));
    }

    [Fact]
    public void The_latest_value_is_found()
    {
        var memory = new BoundedMemory<string, string>(4);
        memory.Set("a", "old", 1);
        memory.Set("b", "b", 1);
        memory.Set("c", "c", 1);
        memory.Set("a", "new", 1);

        Assert.Equal("new", memory.Get("a"));
    }

    [Fact]
    public void A_value_larger_than_half_the_limit_does_not_break_the_bound_for_the_next()
    {
        var memory = new BoundedMemory<string, string>(10);
        for (var i = 0; i < 20; i++)
            memory.Set($"{i}", "large", 9);

        Assert.InRange(memory.Count, 1, 2);
    }
}
