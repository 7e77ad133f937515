using System.Globalization;
using Gateway.Caching.Storage;
using Gateway.UnitTests.Caching.Semantics;
using Xunit.Abstractions;

namespace Gateway.UnitTests.Caching.Storage;

/// <summary>
/// Eviction against LRU on traces of fixed seeds: <c>docs/adr/0030-eviction-is-sieve.md</c> has the table that this prints. The store
/// holds a tenth of the objects.
/// </summary>
public sealed class EvictionTraceTests(ITestOutputHelper output)
{
    private const int Objects = 10_000;
    private const int Capacity = Objects / 10;
    private const int Requests = 200_000;

    public static TheoryData<string, double> Traces => new()
    {
        { "zipf 0.8", 0.8 },
        { "zipf 1.0", 1.0 },
        { "zipf 1.2", 1.2 },
    };

    [Theory]
    [MemberData(nameof(Traces))]
    public void More_hits_than_LRU_on_skewed_requests(string name, double skew) => Compare(name, Zipf(skew, seed: 1));

    [Theory]
    [MemberData(nameof(Traces))]
    public void More_hits_than_LRU_while_a_scan_passes(string name, double skew)
    {
        // Every second request asks for something never asked for again, as crawlers do.
        var scanned = Objects;
        Compare($"{name}, every 2nd a scan", Zipf(skew, seed: 2).Select((item, i) => i % 2 == 0 ? item : scanned++));
    }

    [Fact]
    public void More_hits_than_LRU_when_scans_come_in_bursts()
    {
        var scanned = Objects;
        Compare("zipf 1.0, bursts of 2,000", Zipf(1.0, seed: 3).Select((item, i) => i % 10_000 < 8_000 ? item : scanned++));
    }

    private void Compare(string name, IEnumerable<int> trace)
    {
        var requests = trace.ToArray();
        var (sieve, lru) = (HitsOfStore(requests), HitsOfLru(requests));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {100.0 * sieve / Requests:0.0} % | {100.0 * lru / Requests:0.0} % |"));
        Assert.True(sieve > lru, $"{name}: {sieve} hits, LRU {lru}");
    }

    private static int HitsOfStore(int[] requests)
    {
        var entry = Fields.Stored("max-age=60", 60);
        var one = new MemoryStore(long.MaxValue);
        one.Set(KeyOf(0), entry);
        var store = new MemoryStore(one.Size * Capacity);
        return requests.Count(item =>
        {
            if (store.Get(KeyOf(item)) is not null)
                return true;
            store.Set(KeyOf(item), entry);
            return false;
        });
    }

    private static int HitsOfLru(int[] requests)
    {
        var order = new LinkedList<int>();
        var nodes = new Dictionary<int, LinkedListNode<int>>();
        return requests.Count(item =>
        {
            if (nodes.TryGetValue(item, out var node))
            {
                order.Remove(node);
                order.AddFirst(node);
                return true;
            }

            if (nodes.Count == Capacity)
            {
                nodes.Remove(order.Last!.Value);
                order.RemoveLast();
            }

            nodes[item] = order.AddFirst(item);
            return false;
        });
    }

    // Of one length, so that each costs the same.
    private static string KeyOf(int item) => item.ToString("D8", CultureInfo.InvariantCulture);

    private static IEnumerable<int> Zipf(double skew, int seed)
    {
        var random = new Random(seed);
        var sums = new double[Objects];
        var sum = 0.0;
        for (var i = 0; i < Objects; i++)
            sums[i] = sum += 1 / Math.Pow(i + 1, skew);
        for (var i = 0; i < Requests; i++)
        {
            var found = Array.BinarySearch(sums, random.NextDouble() * sum);
            yield return found < 0 ? ~found : found;
        }
    }
}
