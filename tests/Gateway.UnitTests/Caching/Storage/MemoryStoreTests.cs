using Gateway.Caching.Storage;
using Gateway.UnitTests.Caching.Semantics;

namespace Gateway.UnitTests.Caching.Storage;

public sealed class MemoryStoreTests
{
    [Fact]
    public void It_never_takes_more_than_its_limit()
    {
        var store = new MemoryStore(100_000);
        for (var i = 0; i < 2_000; i++)
        {
            store.Set($"{i % 700}", Fields.Stored("max-age=60", 60));
            Assert.InRange(store.Size, 1, 100_000);
        }
    }

    [Fact]
    public void What_is_used_again_survives_a_scan()
    {
        var store = new MemoryStore(100_000);
        var hot = Fields.Stored("max-age=60", 60);
        store.Set("hot", hot);
        for (var i = 0; i < 5_000; i++)
        {
            store.Set($"scanned {i}", Fields.Stored("max-age=60", 60));
            Assert.Same(hot, store.Get("hot"));
        }
    }

    [Fact]
    public void An_entry_larger_than_a_tenth_is_not_kept_and_takes_its_predecessor_with_it()
    {
        var store = new MemoryStore(20_000);
        store.Set("key", Fields.Stored("max-age=60", 60));
        store.Set("key", Fields.Stored("max-age=60", 60) with { Body = new byte[2_000] });
        Assert.Null(store.Get("key"));
        Assert.Equal((0, 0L), (store.Count, store.Size));
    }

    [Fact]
    public void An_entry_is_removed_only_while_the_key_holds_it()
    {
        var store = new MemoryStore(100_000);
        var (old, current) = (Fields.Stored("max-age=60", 60), Fields.Stored("max-age=60", 60));
        store.Set("key", old);
        store.Set("key", current);
        store.Update("key", entry => ReferenceEquals(entry, old) ? null : entry);
        Assert.Same(current, store.Get("key"));
        store.Update("key", entry => ReferenceEquals(entry, current) ? null : entry);
        Assert.Null(store.Get("key"));
        Assert.Equal(0, store.Size);
    }

    [Fact]
    public async Task Writers_on_many_threads_leave_the_count_of_bytes_right()
    {
        var store = new MemoryStore(50_000);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 3_000; i++)
            {
                store.Set($"{(i * (thread + 1)) % 300}", Fields.Stored("max-age=60", 60));
                if (i % 7 == 0)
                    store.Update($"{i % 300}", _ => null);
            }
        })));
        Assert.InRange(store.Size, 1, 50_000);
        for (var i = 0; i < 300; i++)
            store.Update($"{i}", _ => null);
        Assert.Equal((0, 0L), (store.Count, store.Size));
    }
}
