using System.Runtime.CompilerServices;

namespace SampleBackend.Hosting;

/// <summary>How many requests this backend saw per path: the proof that a cache hit never came here. 10,000 paths at most.</summary>
internal sealed class RequestCounts
{
    private readonly BoundedMap<StrongBox<long>> _counts = new(10_000);

    public void Add(string? path) => Interlocked.Increment(ref _counts.GetOrAdd(path ?? "", () => new StrongBox<long>()).Value);

    public long Of(string path) => _counts.Find(path) is { } count ? Interlocked.Read(ref count.Value) : 0;
}
