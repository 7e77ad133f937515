using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Caching.Fetch;

/// <summary>
/// The life of a fetch that others may share: it stands in for the client's own while the request is forwarded, so
/// that a client that hangs up ends the fetch only when nobody else could use it.
/// </summary>
internal sealed class FetchLifetime : IHttpRequestLifetimeFeature, IDisposable
{
    // An origin that never answers must not hold a fetch that no client waits for.
    private static readonly TimeSpan LimitWithoutClient = TimeSpan.FromSeconds(60);

    private readonly IHttpRequestLifetimeFeature _client;
    private readonly CancellationTokenSource _ending;
    private readonly CancellationTokenRegistration _registration;
    private volatile bool _outlivesClient;

    public FetchLifetime(IHttpRequestLifetimeFeature client, bool outlivesClient, TimeProvider time)
    {
        _client = client;
        _outlivesClient = outlivesClient;
        _ending = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        RequestAborted = _ending.Token;
        _registration = client.RequestAborted.UnsafeRegister(static self => ((FetchLifetime)self!).OnClientGone(), this);
    }

    public CancellationToken RequestAborted { get; set; }

    /// <summary>Whether the response was broken off on purpose: what was recorded of it is not the whole.</summary>
    public bool WasAborted { get; private set; }

    public bool IsClientGone => _client.RequestAborted.IsCancellationRequested;

    /// <summary>Ends the fetch with its client from here on: nobody else can use the response.</summary>
    public void BindToClient()
    {
        _outlivesClient = false;
        if (IsClientGone)
            OnClientGone();
    }

    public void Abort()
    {
        WasAborted = true;
        _client.Abort();
        _ending.Cancel();
    }

    public void Dispose()
    {
        _registration.Dispose();
        _ending.Dispose();
    }

    private void OnClientGone()
    {
        if (_outlivesClient)
            _ending.CancelAfter(LimitWithoutClient);
        else
            _ending.Cancel();
    }
}
