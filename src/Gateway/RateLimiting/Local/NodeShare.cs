namespace Gateway.RateLimiting.Local;

/// <summary>Among how many nodes a limit is divided while Redis is away: those last known, this one included.</summary>
internal sealed class NodeShare
{
    private int _nodes = 1;

    public int Nodes
    {
        get => Volatile.Read(ref _nodes);
        set => Volatile.Write(ref _nodes, Math.Max(1, value));
    }

    /// <summary>This node's part, at least 1, rounded down so that all together stay within the limit.</summary>
    public int Of(long permits) => (int)Math.Clamp(permits / Nodes, 1, int.MaxValue);
}
