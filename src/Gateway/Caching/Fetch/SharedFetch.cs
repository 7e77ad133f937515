using System.Runtime.CompilerServices;
using Gateway.Caching.Storage;
using Gateway.ChangeLog;

namespace Gateway.Caching.Fetch;

/// <summary>How a fetch ended for those who wait for it.</summary>
internal enum FetchOutcome
{
    /// <summary>The response can be reused; whether for a given request, its own reuse rules say.</summary>
    Shareable,

    /// <summary>The response is for the request that fetched it alone.</summary>
    NotShareable,

    /// <summary>There is no response: the next in line may fetch, unless it can use a stale one instead.</summary>
    Failed,

    /// <summary>The response can be reused on the node that fetches it, and is too large for Redis: others do not wait for it.</summary>
    ShareableHere,
}

/// <summary>A response that a fetch brought for others.</summary>
/// <param name="Response">The response; without a body where that is still on its way.</param>
/// <param name="PrimaryKey">The key of everything stored for the target.</param>
/// <param name="Suffix">What the leader's request fields add to it.</param>
/// <param name="Body">The body on its way; null where the response is whole.</param>
/// <param name="Fetch">The fetch that the body comes from.</param>
internal sealed record SharedResponse(StoredResponse Response, string PrimaryKey, string Suffix, BodyRecording? Body = null, SharedFetch? Fetch = null)
{
    /// <summary>The key of the variant that it is.</summary>
    public string VariantKey => PrimaryKey + Suffix;
}

/// <summary>What a fetch came to.</summary>
internal readonly record struct FetchResult(FetchOutcome Outcome, SharedResponse? Response);

/// <summary>
/// A fetch that other requests of this process wait for: until it has an answer, which is at the response's fields where
/// the body can be read along, and then until its end. One that hangs gets a successor, and whichever of them is answered
/// first answers those who wait for either.
/// </summary>
internal sealed class SharedFetch(ChangeStamp stamp, TimeProvider time)
{
    private Completion<FetchResult> _answered;
    private Completion<FetchResult> _ended;
    private Completion<bool> _closed;
    private SharedFetch? _predecessor;
    private SharedFetch? _successor;
    private int _followers;
    private int _present;
    private long _askedAt;
    private StrongBox<ChangeStamp> _stamp = new(stamp);

    /// <summary>What this node had applied of the change log when the origin was asked; before that, when the fetch began.</summary>
    public ChangeStamp Stamp => Volatile.Read(ref _stamp).Value;

    /// <summary>Whether anybody ever followed.</summary>
    public bool HasFollowers => Volatile.Read(ref _followers) > 0;

    /// <summary>How many wait or read along now.</summary>
    public int Followers => Volatile.Read(ref _present);

    /// <summary>How the change log can name the response, tags included; null before there is one.</summary>
    public Selector[]? Selectors { get; private set; }

    /// <summary>Raised when the last of those who followed has left.</summary>
    public event Action? Left;

    /// <summary>What there is to answer others with, or that there is nothing.</summary>
    public Task<FetchResult> Answered => _answered.Task;

    /// <summary>How the fetch ended.</summary>
    public Task<FetchResult> Completion => _ended.Task;

    /// <summary>Completes when all is done that others need of it, storing for other nodes included; its own client may still be reading.</summary>
    public Task Closed => _closed.Task;

    /// <summary>For how long the origin has been asked; null before.</summary>
    public TimeSpan? Asked => Volatile.Read(ref _askedAt) is not 0 and var askedAt ? time.GetElapsedTime(askedAt) : null;

    /// <summary>Whether other nodes wait for this fetch, and so for its response in Redis.</summary>
    public bool IsAmongNodes { get; set; }

    /// <summary>How the origin failed, if it did: what followers may use a stale response for. RFC 9111 §4.2.4, RFC 5861 §4.</summary>
    public CacheReason Failure { get; private set; }

    /// <summary>Notes that the origin is asked now: what it answers is of after all changes before, however long the fetch waited for others.</summary>
    /// <param name="stamp">What this node has applied of the change log.</param>
    public void Ask(ChangeStamp stamp)
    {
        if (stamp != Stamp)
            Volatile.Write(ref _stamp, new StrongBox<ChangeStamp>(stamp));
        Volatile.Write(ref _askedAt, time.GetTimestamp());
    }

    public void Follow()
    {
        Interlocked.Increment(ref _present);
        Interlocked.Increment(ref _followers);
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref _present) == 0)
            Left?.Invoke();
    }

    /// <summary>Takes the place of a fetch that hangs.</summary>
    public void Succeed(SharedFetch hung)
    {
        _predecessor = hung;
        hung._successor = this;
    }

    /// <summary>Answers the followers with a response whose body is on its way.</summary>
    public void Open(SharedResponse response) => Answer(new FetchResult(FetchOutcome.Shareable, response));

    /// <summary>Ends the fetch, and with it the wait of those who have no answer yet; the first call counts.</summary>
    public void Complete(FetchOutcome outcome, SharedResponse? response = null)
    {
        var result = new FetchResult(outcome, response);
        Answer(result);
        _ended.TrySet(result);
    }

    /// <summary>Ends the fetch, because the origin failed.</summary>
    /// <param name="failure"><see cref="CacheReason.StaleIfError"/> or <see cref="CacheReason.Disconnected"/>.</param>
    public void Fail(CacheReason failure)
    {
        Failure = failure;
        Complete(FetchOutcome.Failed);
    }

    /// <summary>See <see cref="Closed"/>. Followers not released by then learn that it failed.</summary>
    public void Close()
    {
        Complete(FetchOutcome.Failed);
        _predecessor = _successor = null;
        _closed.TrySet(true);
    }

    private void Answer(FetchResult result)
    {
        Selectors ??= result.Response?.Response.Selectors;
        if (!_answered.TrySet(result) || result.Outcome != FetchOutcome.Shareable)
            return;
        _predecessor?.Answer(result);
        _successor?.Answer(result);
    }
}
