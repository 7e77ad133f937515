using System.Diagnostics.CodeAnalysis;

namespace Gateway.Redis;

/// <summary>What came of a call to Redis: its answer, or nothing, because Redis is away, slow or refused the call.</summary>
internal readonly struct RedisReply<T>
{
    private readonly T? _value;

    public RedisReply(T value)
    {
        _value = value;
        IsAnswered = true;
    }

    /// <summary>Whether Redis answered. If not, the call may still have taken effect there.</summary>
    public bool IsAnswered { get; }

    public bool TryGet([MaybeNullWhen(false)] out T value)
    {
        value = _value;
        return IsAnswered;
    }
}
