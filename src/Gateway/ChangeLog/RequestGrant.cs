namespace Gateway.ChangeLog;

/// <summary>By what right a request goes on: a token, a session. It can be withdrawn while the request runs.</summary>
internal abstract class RequestGrant
{
    /// <summary>Whether it was withdrawn. Asked again and again, from one thread at a time, and usually answered at once.</summary>
    public abstract ValueTask<bool> IsWithdrawnAsync(CancellationToken cancellationToken);
}
