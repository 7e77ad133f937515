namespace Gateway;

/// <summary>Counts that many cores raise at once: each core mostly writes to memory of its own.</summary>
internal sealed class StripedCounts
{
    // Apart by more than a cache line, whatever the counts between.
    private const int Padding = 16;

    private readonly long[][] _stripes;

    public StripedCounts(int length)
    {
        Length = length;
        var stripes = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Min(Environment.ProcessorCount, 64));
        _stripes = [.. Enumerable.Range(0, stripes).Select(_ => new long[length + Padding])];
    }

    public int Length { get; }

    public void Increment(int index) =>
        Interlocked.Increment(ref _stripes[Thread.GetCurrentProcessorId() & (_stripes.Length - 1)][index]);

    public void Add(int index, long count) =>
        Interlocked.Add(ref _stripes[Thread.GetCurrentProcessorId() & (_stripes.Length - 1)][index], count);

    public long Sum(int index)
    {
        var sum = 0L;
        foreach (var stripe in _stripes)
            sum += Volatile.Read(ref stripe[index]);
        return sum;
    }
}
