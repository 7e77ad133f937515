using System.Net;
using System.Reflection;
using Gateway.Redis;
using StackExchange.Redis;

namespace Gateway.Caching.Fetch;

/// <summary>
/// What RedLock.net sees of one server's connection: the <see cref="LockDatabase"/>, and nothing else. A member it does not
/// use today is refused, so that an update of the package cannot go past the deadline and the circuit unnoticed.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
internal class LockMultiplexer : DispatchProxy
{
    private IDatabase? _database;

    /// <summary>Makes the view of a server.</summary>
    public static IConnectionMultiplexer Over(RedisConnection server)
    {
        var view = Create<IConnectionMultiplexer, LockMultiplexer>();
        ((LockMultiplexer)view)._database = LockDatabase.Over(server);
        return view;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">RedLock.net is not known to use the member.</exception>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod?.Name switch
    {
        nameof(IConnectionMultiplexer.GetDatabase) => _database,
        // They would only be named in log messages that nobody reads.
        nameof(IConnectionMultiplexer.GetEndPoints) => Array.Empty<EndPoint>(),
        // It passes on to its own event, which nobody hears.
        "add_" + nameof(IConnectionMultiplexer.ConfigurationChanged) or "remove_" + nameof(IConnectionMultiplexer.ConfigurationChanged) => null,
        _ => throw new NotSupportedException($"RedLock.net is not given IConnectionMultiplexer.{targetMethod?.Name}."),
    };
}
