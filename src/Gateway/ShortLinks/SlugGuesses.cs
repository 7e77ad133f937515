using Microsoft.Extensions.Options;

namespace Gateway.ShortLinks;

/// <summary>
/// Answers 404 per client, counted on this node: whoever gets too many in a minute is refused until it is over, for
/// links that exist too, since one that still redirected would be a hit. The clients seen last are remembered.
/// </summary>
internal sealed class SlugGuesses(IOptionsMonitor<ShortLinksOptions> options, TimeProvider time)
{
    /// <summary>How many clients are remembered at most.</summary>
    public const int MaxClients = 100_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly BoundedMemory<ulong, Count> _clients = new(MaxClients);

    /// <summary>How many clients are remembered.</summary>
    public int ClientCount => _clients.Count;

    /// <summary>Whether a client is to be refused, and until when.</summary>
    public bool IsOver(ulong client, out TimeSpan retryAfter)
    {
        retryAfter = default;
        var most = options.CurrentValue.UnknownPerMinute;
        if (most == 0 || _clients.Get(client) is not { } count || Volatile.Read(ref count.Answers) < most)
            return false;
        retryAfter = Window - time.GetElapsedTime(count.Since);
        return retryAfter > TimeSpan.Zero;
    }

    /// <summary>Counts an answer that says that there is no such link.</summary>
    public void Note(ulong client)
    {
        if (options.CurrentValue.UnknownPerMinute == 0)
            return;
        if (_clients.Get(client) is { } count && time.GetElapsedTime(count.Since) < Window)
            Interlocked.Increment(ref count.Answers);
        else
            _clients.Set(client, new Count(time.GetTimestamp()), 1);
    }

    private sealed class Count(long since)
    {
        public int Answers = 1;

        public long Since => since;
    }
}
