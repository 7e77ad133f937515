namespace Gateway.Sessions.Affinity;

/// <summary>Where a session belongs.</summary>
/// <param name="Destination">The id of the destination; empty for a session that has none yet.</param>
/// <param name="Moves">How often the session was given another destination: of two answers, the one with more moves is newer.</param>
internal readonly record struct SessionAffinity(string Destination, long Moves)
{
    /// <summary>A session without a destination.</summary>
    public static SessionAffinity None { get; } = new("", 0);

    public bool IsNone => Destination.Length == 0;

    /// <summary>As Redis holds it: moves, a space, the destination.</summary>
    public static SessionAffinity Parse(string text)
    {
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && long.TryParse(text.AsSpan(0, space), out var moves) ? new(text[(space + 1)..], moves) : None;
    }
}

/// <summary>What a client presented.</summary>
/// <param name="Id">The session's id, 32 hexadecimal digits.</param>
/// <param name="Affinity">The destination that the client's cookie names, or none.</param>
internal readonly record struct PresentedSession(string Id, SessionAffinity Affinity);
