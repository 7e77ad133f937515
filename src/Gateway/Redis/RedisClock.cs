namespace Gateway.Redis;

/// <summary>
/// The time of the Redis server as this node knows it: what nodes with differing clocks agree on. Before Redis was
/// ever reached it is this node's own time.
/// </summary>
internal sealed class RedisClock(TimeProvider time)
{
    private long _offsetTicks;

    public DateTimeOffset Now => time.GetUtcNow().AddTicks(Volatile.Read(ref _offsetTicks));

    /// <summary>Takes over what a call learned.</summary>
    /// <param name="redisTime">Redis <c>TIME</c>, read during the call.</param>
    /// <param name="sent">When the call was sent, by this node's clock.</param>
    /// <param name="received">When its answer came.</param>
    public void Synchronize(DateTimeOffset redisTime, DateTimeOffset sent, DateTimeOffset received) =>
        Volatile.Write(ref _offsetTicks, (redisTime - (sent + ((received - sent) / 2))).Ticks);
}
