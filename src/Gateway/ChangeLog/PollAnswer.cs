using StackExchange.Redis;

namespace Gateway.ChangeLog;

/// <summary>What <c>poll.lua</c> returns.</summary>
/// <param name="Head">The number of the last change in the log.</param>
/// <param name="Position">Where the node stands after it applied <paramref name="Changes"/>.</param>
/// <param name="RedisTime">Redis <c>TIME</c> during the call.</param>
/// <param name="Changes">What changed since, in order.</param>
internal sealed record PollAnswer(long Head, Position Position, DateTimeOffset RedisTime, IReadOnlyList<Change> Changes)
{
    public static PollAnswer Parse(RedisResult result)
    {
        var changes = new Change[(result.Length - 7) / 2];
        for (var i = 0; i < changes.Length; i++)
            changes[i] = new Change(new Selector((string)result[7 + (2 * i)]!), (long)(double)result[8 + (2 * i)]);

        var position = new Position((long)result[0], (long)result[5], (string)result[6]!, (long)(double)result[2]);
        var time = DateTimeOffset.FromUnixTimeSeconds((long)result[3]).AddMicroseconds((long)result[4]);
        return new PollAnswer((long)result[1], position, time, changes);
    }
}
