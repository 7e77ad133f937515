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
}

/// <summary>A response that a fetch brought for others.</summary>
/// <param name="Response">The response.</param>
/// <param name="VariantKey">The key that the leader's request fields select it by.</param>
internal sealed record SharedResponse(StoredResponse Response, string VariantKey);

/// <summary>A fetch that other requests of this process wait for.</summary>
internal sealed class SharedFetch(ChangeStamp stamp)
{
    // Followers go on where the pool has room, not on the leader's time.
    private readonly TaskCompletionSource<(FetchOutcome, SharedResponse?)> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _followers;

    /// <summary>What this node had applied of the change log when the fetch began.</summary>
    public ChangeStamp Stamp { get; } = stamp;

    public bool HasFollowers => Volatile.Read(ref _followers) > 0;

    public Task<(FetchOutcome Outcome, SharedResponse? Response)> Completion => _completion.Task;

    /// <summary>How the origin failed, if it did: what followers may use a stale response for. RFC 9111 §4.2.4, RFC 5861 §4.</summary>
    public CacheReason Failure { get; private set; }

    public void Follow() => Interlocked.Increment(ref _followers);

    /// <summary>Releases the followers; the first call counts.</summary>
    public void Complete(FetchOutcome outcome, SharedResponse? response = null) => _completion.TrySetResult((outcome, response));

    /// <summary>Releases the followers, because the origin failed.</summary>
    /// <param name="failure"><see cref="CacheReason.StaleIfError"/> or <see cref="CacheReason.Disconnected"/>.</param>
    public void Fail(CacheReason failure)
    {
        Failure = failure;
        Complete(FetchOutcome.Failed);
    }
}
