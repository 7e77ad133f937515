using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Caching.Fetch;

/// <summary>
/// The life of a fetch that others may share: it stands in for the client's own while the request is forwarded, so
/// that a client that hangs up ends the fetch only when nobody else uses or could use it.
/// </summary>
internal sealed class FetchLifetime : IHttpRequestLifetimeFeature, IDisposable
{
    // An origin that never answers must not hold a fetch that nobody waits for.
    private static readonly TimeSpan LimitWithoutClients = TimeSpan.FromSeconds(60);

    private readonly IHttpRequestLifetimeFeature _client;
    private readonly SharedFetch? _shared;
    // Null where nobody can share the response: the client's life is the fetch's then.
    private readonly CancellationTokenSource? _ending;
    private readonly CancellationTokenRegistration _registration;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private ITimer? _limit;
    private volatile bool _outlivesClients;
    private bool _isDisposed;

    /// <param name="client">The client's.</param>
    /// <param name="shared">Those who follow; null: nobody can.</param>
    public FetchLifetime(IHttpRequestLifetimeFeature client, SharedFetch? shared, TimeProvider time)
    {
        _client = client;
        _shared = shared;
        _time = time;
        if (shared is null)
        {
            RequestAborted = client.RequestAborted;
            return;
        }

        _outlivesClients = true;
        _ending = new CancellationTokenSource();
        RequestAborted = _ending.Token;
        shared.Left += EndIfUnused;
        _registration = client.RequestAborted.UnsafeRegister(static self => ((FetchLifetime)self!).OnClientGone(), this);
    }

    public CancellationToken RequestAborted { get; set; }

    /// <summary>Whether the response was broken off on purpose: what was recorded of it is not the whole.</summary>
    public bool WasAborted { get; private set; }

    /// <summary>Ends the fetch, from here on, with its client and those who follow now: nobody else can use the response.</summary>
    public void BindToClients()
    {
        _outlivesClients = false;
        EndIfUnused();
    }

    /// <summary>Ends the client's connection, and not the fetch.</summary>
    public void AbortClient() => _client.Abort();

    public void Abort()
    {
        WasAborted = true;
        _client.Abort();
        End();
    }

    public void Dispose()
    {
        _registration.Dispose();
        if (_shared is not null)
            _shared.Left -= EndIfUnused;
        lock (_gate)
        {
            _isDisposed = true;
            _limit?.Dispose();
            _ending?.Dispose();
        }
    }

    private void OnClientGone()
    {
        EndIfUnused();
        lock (_gate)
        {
            if (_isDisposed || !_outlivesClients)
                return;
            _limit?.Dispose();
            _limit = _time.CreateTimer(static self => ((FetchLifetime)self!).OnLimit(), this, LimitWithoutClients, Timeout.InfiniteTimeSpan);
        }
    }

    private void OnLimit()
    {
        if (_shared is { Followers: > 0 })
            OnClientGone();
        else
            End();
    }

    private void EndIfUnused()
    {
        if (!_outlivesClients && _client.RequestAborted.IsCancellationRequested && _shared is not { Followers: > 0 })
            End();
    }

    private void End()
    {
        lock (_gate)
        {
            if (!_isDisposed)
                _ending?.Cancel();
        }
    }
}
